import {
  type BrokerEvent,
  type Connection,
  createMemoryTokenStore,
  createTokenBroker,
  type TokenBroker,
  type TokenBrokerDeps,
  type TokenStore,
} from '@scopegate/token-broker'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createScriptedRequester, type ScriptedRequester } from './scripted-requester.ts'
import { testConnection } from './test-connection.ts'

export interface TestBroker {
  readonly broker: TokenBroker
  readonly requester: ScriptedRequester
  readonly clock: FakeClock
  readonly store: TokenStore
  readonly events: BrokerEvent[]
  eventsOf<Kind extends BrokerEvent['kind']>(kind: Kind): Extract<BrokerEvent, { kind: Kind }>[]
}

export interface TestBrokerOptions
  extends Partial<Omit<TokenBrokerDeps, 'connections' | 'requester'>> {
  readonly connections?: readonly Connection[]
  readonly requester?: ScriptedRequester
  readonly clock?: FakeClock
}

/** A broker with its clock, its provider and its store in the hands of a test. */
export function testBroker(options: TestBrokerOptions = {}): TestBroker {
  const clock = options.clock ?? createFakeClock()
  const requester = options.requester ?? createScriptedRequester()
  const { monotonicMs, nowMs, sleep } = clock
  const store = options.store ?? createMemoryTokenStore({ monotonicMs })
  const events: BrokerEvent[] = []
  const broker = createTokenBroker({
    connections: [testConnection()],
    ...{ nowMs, monotonicMs, sleep },
    random: () => 0.5,
    onEvent: (event) => events.push(event),
    ...options,
    ...{ requester, store },
  })
  const eventsOf: TestBroker['eventsOf'] = (kind) =>
    events.filter(
      (event): event is Extract<BrokerEvent, { kind: typeof kind }> => event.kind === kind,
    )
  return { broker, requester, clock, store, events, eventsOf }
}
