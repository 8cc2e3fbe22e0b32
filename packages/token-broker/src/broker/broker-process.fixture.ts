/**
 * One of many processes with a broker on one database: some callers ask for the token again and again
 * until the process is told to stop, and it prints what they got.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { TokenUnavailable } from '@scopegate/oauth-model'
import { createSealer } from '@scopegate/secrets'
import { openStorage } from '@scopegate/storage'
import {
  createPostgresTokenStore,
  createTokenBroker,
  createTokenRequester,
} from '@scopegate/token-broker'
import { testConnection } from '../test-support/test-connection.ts'

export interface BrokerProcessOptions {
  readonly databaseUrl: string
  readonly tokenEndpoint: string
  readonly grant: 'client_credentials' | 'refresh_token'
  readonly refreshToken?: string
  readonly callers: number
  readonly timeoutMs: number
  /** Of a caller between two calls. */
  readonly pauseMs: number
}

const options: BrokerProcessOptions = JSON.parse(process.argv[2] ?? '{}')
const { tokenEndpoint, grant, refreshToken, timeoutMs } = options
const storage = await openStorage(
  { url: options.databaseUrl },
  { serverUrl: 'http://127.0.0.1:1', poolSize: 3 },
)
const broker = createTokenBroker({
  connections: [
    testConnection({
      ...{ grant, tokenEndpoint },
      transport: { timeoutMs, proxy: 'none', allowPlain: true },
      ...(refreshToken !== undefined && { refreshToken: () => refreshToken }),
    }),
  ],
  requester: createTokenRequester({ nowMs: Date.now }),
  store: createPostgresTokenStore({
    pool: storage.pool,
    sealer: createSealer([{ id: 'k1', key: Buffer.alloc(32, 7) }]),
  }),
  nowMs: Date.now,
})

let isRunning = true
process.once('disconnect', () => process.exit(1))
process.once('message', () => {
  isRunning = false
})

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function call(): Promise<void> {
  while (isRunning) {
    const askedMs = Date.now()
    try {
      const { accessToken, warnings } = await broker.getToken('lab')
      say({ accessToken, warnings, askedMs, gotMs: Date.now() })
    } catch (error) {
      const code = error instanceof TokenUnavailable ? error.failure.code : String(error)
      say({ failed: code, askedMs, gotMs: Date.now() })
    }
    await sleep(options.pauseMs)
  }
}

say({ ready: true })
await Promise.all(Array.from({ length: options.callers }, call))
await broker.close()
await storage.close()
process.disconnect()
