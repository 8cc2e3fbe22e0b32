import { createHash } from 'node:crypto'
import {
  createLabKey,
  type ServedLabTokenServer,
  type ServeLabTokenServerOptions,
  serveLabTokenServer,
} from '@scopegate/lab'
import {
  type BrokerEvent,
  type ConnectionCredentials,
  compileConnection,
  createMemoryTokenStore,
  createTokenBroker,
  createTokenRequester,
  type TokenBroker,
  type TokenRequester,
  type TokenStore,
  type WrittenConnection,
} from '@scopegate/token-broker'
import { createFakeTime, type FakeTime } from './fake-time.ts'

export interface BrokerLibraryOptions {
  readonly lab?: ServeLabTokenServerOptions
  readonly store?: (time: FakeTime) => TokenStore
  /** Of each connection beside what all have. Default: one named `lab`. */
  readonly connections?: readonly (Partial<WrittenConnection> & { readonly name: string })[]
  readonly credentials?: ConnectionCredentials
  readonly leaseMs?: number
  readonly waitMs?: number
}

/** The broker as a library in somebody's program, with a lab that lives by the same clock. */
export interface BrokerLibrary {
  readonly broker: TokenBroker
  readonly lab: ServedLabTokenServer
  readonly time: FakeTime
  readonly store: TokenStore
  readonly events: BrokerEvent[]
  /** Resolves when no token request is under way, and none is about to be. */
  settled(): Promise<void>
  /** Lets time pass, and what that causes come to its end. */
  pass(seconds: number): Promise<void>
  close(): Promise<void>
}

const KEYS = [createLabKey('ES256')]

/** Midnight, so that what a test says in hours can be read off. */
const STARTED_MS = Date.UTC(2027, 0, 1)

export async function openBrokerLibrary(
  options: BrokerLibraryOptions = {},
): Promise<BrokerLibrary> {
  const time = createFakeTime(STARTED_MS)
  const lab = await serveLabTokenServer({
    keys: KEYS,
    now: () => Math.floor(time.providerMs() / 1000),
    ...options.lab,
  })
  const store = options.store?.(time) ?? createMemoryTokenStore({ monotonicMs: time.monotonicMs })
  const events: BrokerEvent[] = []
  const credentials = options.credentials ?? { secrets: () => ['a secret of the library'] }
  const connections = (options.connections ?? [{ name: 'lab' }]).map((written) =>
    compileConnection(
      {
        clientId: written.name,
        tokenEndpoint: lab.tokenEndpoint,
        scopes: ['a'],
        timeoutSeconds: 5,
        proxy: 'none',
        ...written,
      },
      {
        version: () =>
          createHash('sha256')
            .update(JSON.stringify(credentials.secrets?.() ?? []))
            .digest('hex'),
        ...credentials,
      },
    ),
  )
  const requester = createTokenRequester({ nowMs: time.nowMs })
  const pending = new Set<Promise<unknown>>()
  const watchedRequester: TokenRequester = {
    request(target, request) {
      const outcome = requester.request(target, request)
      pending.add(outcome)
      return outcome.finally(() => pending.delete(outcome))
    },
  }

  async function settled(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      if (pending.size > 0) {
        await Promise.allSettled(pending)
        idle = 0
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  const makeBroker = () =>
    createTokenBroker({
      connections,
      requester: watchedRequester,
      store,
      ...{ nowMs: time.nowMs, monotonicMs: time.monotonicMs, sleep: time.sleep },
      // So that who gets no token learns of it without time having to pass: it stands still meanwhile.
      waitMs: options.waitMs ?? 0,
      // The middle of every jitter.
      random: () => 0.5,
      onEvent: (event) => void events.push(event),
      ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }),
    })
  let broker: TokenBroker
  try {
    broker = makeBroker()
  } catch (error) {
    await lab.close()
    throw error
  }
  return {
    ...{ broker, lab, time, store, events, settled },
    async pass(seconds) {
      await settled()
      await time.pass(seconds)
      await settled()
    },
    async close() {
      const closed = broker.close()
      // Whoever waits for time to pass does not keep it open.
      await time.pass(3600)
      await closed
      await lab.close()
    },
  }
}
