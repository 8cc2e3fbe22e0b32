import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SignInDeps, SignInParts } from '@scopegate/authorization-server'
import type { Session, User } from '@scopegate/identity'
import type { LaunchContext } from '@scopegate/oauth-model'
import { candidateScopes } from '../grants/candidate-scopes.ts'

/** What the user does at the next interactions. */
export interface StubDecision {
  userId?: string
  context?: LaunchContext
  /** Instead of everything that can be allowed. */
  scopes?: readonly string[]
  remember?: boolean
  deny?: boolean
}

export interface SignInStub extends SignInDeps {
  readonly people: Map<string, User>
  readonly alive: Map<string, Session>
  decision: StubDecision
  readonly parts: () => SignInParts
  readonly interactions: { uid: string; params: Record<string, unknown> }[]
}

/** People and pages of one click: the interaction decides as it is told. */
export function createSignInStub(): SignInStub {
  const people = new Map<string, User>()
  const alive = new Map<string, Session>()
  const interactions: SignInStub['interactions'] = []
  let parts: SignInParts | undefined
  const add = (id: string, fhirUser: string) => people.set(id, userOf(id, fhirUser))
  add('u_carla', 'Practitioner/carla')
  add('u_peter', 'Patient/peter')

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (parts === undefined) throw new Error('not started')
    const { decision } = stub
    const engine = parts.engine()
    const details = await engine.interactionDetails(request, response)
    interactions.push({ uid: details.uid, params: details.params as never })
    if (decision.deny) {
      const result = { error: 'access_denied', error_description: 'the user said no' }
      return engine.interactionFinished(request, response, result)
    }
    const user = people.get(decision.userId ?? 'u_carla')
    const clientId = String(details.params.client_id)
    const client = await parts.findClient(clientId)
    if (user === undefined || client === undefined) throw new Error('no user or client')
    let context = decision.context ?? {}
    if (typeof details.params.launch === 'string') {
      const redeemed = await parts.launches.redeem(details.params.launch, {
        clientId,
        userId: user.id,
      })
      if (redeemed.kind === 'refused') {
        const error_description = `the launch was refused: ${redeemed.reason}`
        const result = { error: 'invalid_request', error_description }
        return engine.interactionFinished(request, response, result)
      }
      context = redeemed.context
    }
    const session = sessionOf(user.id)
    alive.set(session.id, session)
    const requested = String(details.params.scope)
    const grantId = await parts.grants.create({
      clientId,
      user,
      sessionId: session.id,
      scopes: decision.scopes ?? candidateScopes({ requested, client, user }).candidates,
      resource: parts.resourceOf(details.params),
      context,
      ...(decision.remember === undefined ? {} : { remember: decision.remember }),
    })
    await engine.interactionFinished(request, response, {
      login: { accountId: user.id, ts: session.authTime, amr: ['pwd'] },
      consent: { grantId },
    })
  }

  const stub: SignInStub = {
    people,
    alive,
    interactions,
    decision: {},
    parts: () => parts as SignInParts,
    users: { find: async (id) => people.get(id) },
    sessions: {
      find: async (token) => [...alive.values()].find(({ id }) => token === `cookie-${id}`),
      isAlive: async (id) => alive.has(id),
      end: async (id) => void alive.delete(id),
    },
    controllers(given) {
      parts = given
      return [
        {
          routes: ['/oauth/interaction/*'],
          owns: (path) => path.startsWith('/oauth/interaction/'),
          handle,
        },
      ]
    },
  }
  return stub
}

function userOf(id: string, fhirUser: string): User {
  return {
    id,
    username: id.slice(2),
    name: id.slice(2),
    email: `${id.slice(2)}@example.org`,
    fhirUser,
    roles: [],
    disabled: false,
    secondFactors: [],
    mustChangePassword: false,
    hasPassword: true,
    createdAt: 0,
  }
}

function sessionOf(userId: string): Session {
  const now = Math.floor(Date.now() / 1000)
  const id = `s_${randomBytes(8).toString('hex')}`
  return { id, userId, amr: ['pwd'], authTime: now, expiresAt: now + 3600, seenAt: now }
}
