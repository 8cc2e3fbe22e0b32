import { ConfidentialClientApplication } from '@azure/msal-node'
import {
  compileConnection,
  createMemoryTokenStore,
  createTokenBroker,
  type TokenRequester,
} from '@scopegate/token-broker'

/**
 * The broker as a library in one process, its provider answering at once: what a token costs that
 * is there, and what ten thousand of them weigh. Prints its result as JSON. Run with `--expose-gc`.
 */
export interface OutboundLibrary {
  readonly perSecond: number
  readonly p99Micros: number
  /** The same of MSAL Node. */
  readonly peerPerSecond: number
  readonly peerP99Micros: number
  readonly kilobytesOf10000: number
  /** Least: the tokens' own text. */
  readonly textKilobytesOf10000: number
}

const TOKEN_BYTES = 1500
const tokenText = (seed: number) => `${seed}.`.padEnd(TOKEN_BYTES, 'x')
let asked = 0
const requester: TokenRequester = {
  request: async ({ scopes }) => ({
    kind: 'token',
    token: {
      accessToken: tokenText(asked++),
      type: 'Bearer',
      expiresInSeconds: 3600,
      scopes,
      warnings: [],
    },
  }),
}
const broker = createTokenBroker({
  connections: [
    compileConnection(
      { name: 'lab', clientId: 'app', tokenEndpoint: 'http://127.0.0.1/token', scopes: ['a'] },
      { version: () => '1', secrets: () => ['a secret of the bench'] },
    ),
  ],
  requester,
  store: createMemoryTokenStore(),
  nowMs: Date.now,
  maxTokens: 20_000,
})

const peer = new ConfidentialClientApplication({
  auth: {
    clientId: 'app',
    clientSecret: 'a secret of the bench',
    authority: 'https://idp.example/tenant',
    knownAuthorities: ['idp.example'],
  },
  system: {
    networkClient: {
      sendGetRequestAsync: async () =>
        answer({
          issuer: 'https://idp.example/tenant/v2.0',
          authorization_endpoint: 'https://idp.example/authorize',
          token_endpoint: 'https://idp.example/token',
          jwks_uri: 'https://idp.example/keys',
        }),
      sendPostRequestAsync: async () =>
        answer({ token_type: 'Bearer', expires_in: 3600, access_token: tokenText(0) }),
    },
  },
} as never)
const answer = (body: object) => ({ status: 200, headers: {}, body }) as never

const ours = await time(() => broker.getToken('lab'), 300_000)
const theirs = await time(
  () => peer.acquireTokenByClientCredential({ scopes: ['api://fhir/.default'] }),
  5_000,
)
collect()
const before = process.memoryUsage().heapUsed
for (let index = 0; index < 10_000; index++) {
  await broker.getToken('lab', { audience: `https://api-${index}.example` })
}
collect()
const kilobytesOf10000 = (process.memoryUsage().heapUsed - before) / 1024
await broker.close()

const result: OutboundLibrary = {
  ...{ perSecond: ours.perSecond, p99Micros: ours.p99Micros },
  ...{ peerPerSecond: theirs.perSecond, peerP99Micros: theirs.p99Micros },
  kilobytesOf10000,
  textKilobytesOf10000: (TOKEN_BYTES * 10_000) / 1024,
}
console.log(JSON.stringify(result))
process.exit(0)

async function time(call: () => Promise<unknown>, count: number) {
  for (let index = 0; index < count / 10; index++) await call()
  const micros = new Float64Array(count)
  const startedMs = performance.now()
  for (let index = 0; index < count; index++) {
    const sentMs = performance.now()
    await call()
    micros[index] = (performance.now() - sentMs) * 1000
  }
  const tookSeconds = (performance.now() - startedMs) / 1000
  micros.sort()
  return { perSecond: count / tookSeconds, p99Micros: micros[Math.floor(count * 0.99)]! }
}

function collect(): void {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
}
