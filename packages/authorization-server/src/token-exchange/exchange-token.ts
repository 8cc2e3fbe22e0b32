import { createHash } from 'node:crypto'
import { callerView } from '@scopegate/checks'
import type { VerifiedToken } from '@scopegate/oauth-model'
import { KeysUnavailable } from '@scopegate/token-verify'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { factsOf } from '../engine/engine-client.ts'
import type { EngineDeps, RequestState } from '../engine/engine-deps.ts'
import { noScope, scopeParameter, serverInfo } from '../engine/resource-server.ts'
import {
  invalidTarget,
  subjectTokenRefused,
  temporarilyUnavailable,
  tooManyRequests,
} from '../engine-errors.ts'
import { defaultResource, findResource, withoutFinalSlash } from '../resources.ts'
import { exchangedScopes } from './exchanged-scopes.ts'
import { TOKEN_EXCHANGE_GRANT, type TokenExchangeDeps } from './token-exchange-policy.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const PARAMETERS = [
  ...['subject_token', 'subject_token_type', 'requested_token_type', 'actor_token'],
  ...['actor_token_type', 'audience', 'resource', 'scope'],
]

/**
 * Teaches the engine to exchange an access token of a foreign issuer for one of ours, by policy.
 * The result says who acts (`act`), lives no longer than the subject token, and never permits more.
 *
 * @see RFC 8693
 */
export function offerTokenExchange(
  engine: Provider,
  deps: EngineDeps,
  exchange: TokenExchangeDeps,
): void {
  engine.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    (ctx) => handle(ctx as KoaContextWithOIDC, engine, deps, exchange) as Promise<void>,
    PARAMETERS,
  )
}

async function handle(
  ctx: KoaContextWithOIDC,
  engine: Provider,
  deps: EngineDeps,
  exchange: TokenExchangeDeps,
): Promise<void> {
  const state = ctx.state as RequestState
  const { client, params } = ctx.oidc
  if (client === undefined || params === undefined) throw new Error('there is no request')
  const wait = deps.limits.succeeded(state.address, client.clientId)
  if (wait !== undefined) {
    throw tooManyRequests(wait, {
      code: 'too_many_requests',
      told: `more than ${deps.limits.requestsPerMinute} token requests per minute of this client: wait ${wait} s`,
    })
  }
  checkForm(ctx, params)
  const subject = await verifySubject(String(params.subject_token), client.clientId, exchange)
  const policy = exchange.policies.find(
    ({ issuer, clients }) => issuer === subject.issuer && clients.includes(client.clientId),
  )
  if (policy === undefined) throw subjectTokenRefused('the client may not exchange tokens of it')

  const facts = factsOf(client)
  const resource = resourceOf(params, subject, deps)
  const { granted, remarks } = exchangedScopes({
    requested: scopeParameter(ctx),
    subject,
    registered: facts.scopes,
    ceiling: policy.scopes,
  })
  if (granted.length === 0) throw noScope(remarks, facts.scopes)

  const scope = granted.join(' ')
  const seconds = Math.min(
    facts.accessTokenSeconds ?? Infinity,
    deps.accessTokenSeconds,
    subject.expiresAt - deps.now(),
  )
  if (seconds < 1) throw subjectTokenRefused('it has expired')
  Object.assign(state, { remarks, audience: resource.url, exchanged: subject })
  const { ClientCredentials, ResourceServer } = engine as unknown as EngineModels
  const token = new ClientCredentials({ client, scope, expiresIn: seconds })
  token.resourceServer = new ResourceServer(
    resource.url,
    serverInfo(scope, resource, 'jwt', seconds),
  )
  ctx.oidc.entity('ClientCredentials' as never, token as never)
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: seconds,
    scope,
  }
}

type Params = Readonly<Record<string, unknown>>

function checkForm(ctx: KoaContextWithOIDC, params: Params): void {
  const { subject_token: token, subject_token_type: type, requested_token_type: wanted } = params
  const refuse = (why: string) => subjectTokenRefused(why)
  if (typeof token !== 'string' || token === '') throw refuse('`subject_token` is missing')
  if (type !== ACCESS_TOKEN && type !== JWT) {
    throw refuse(`\`subject_token_type\` must be ${ACCESS_TOKEN}: only access tokens are exchanged`)
  }
  if (wanted !== undefined && wanted !== ACCESS_TOKEN && wanted !== JWT) {
    throw refuse(`\`requested_token_type\` must be ${ACCESS_TOKEN}, or left out`)
  }
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw refuse('`actor_token` is not accepted: the client that asks is the actor')
  }
  const mustBind = ctx.oidc.client?.dpopBoundAccessTokens === true
  if (ctx.get('DPoP') !== '' || mustBind) {
    throw refuse('tokens bound by DPoP are not issued in an exchange')
  }
}

/** @throws invalid_request with the reason of the first check that failed. @see RFC 8693 §2.2.2 */
async function verifySubject(
  token: string,
  clientId: string,
  { policies, verifier, audiences }: TokenExchangeDeps,
): Promise<VerifiedToken> {
  const issuers = policies.flatMap(({ issuer, clients }) =>
    clients.includes(clientId) ? [issuer] : [],
  )
  try {
    const verdict = await verifier.verify(`Bearer ${token}`, { audiences, issuers })
    if (verdict.ok) return verdict.token
    const view = callerView(verdict.checks)
    throw subjectTokenRefused(view?.text ?? 'not accepted', view?.fix)
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error
    throw temporarilyUnavailable(error.retryAfterSeconds, {
      code: 'subject_issuer_unavailable',
      got: error.message,
      told: 'tokens of that issuer cannot be verified at the moment: try again',
    })
  }
}

/** `resource`, or `audience`, which here means the same; the only FHIR endpoint by default. */
function resourceOf(params: Params, subject: VerifiedToken, { resources }: EngineDeps) {
  const { resource, audience } = params
  const fhir = resources.filter(({ kind }) => kind === 'fhir')
  const named = [resource, audience].filter((each) => typeof each === 'string' && each !== '')
  const [first, second] = named.map((each) => withoutFinalSlash(String(each)))
  if (second !== undefined && first !== second) {
    throw invalidTarget('audience and resource name different servers: send one of them', {
      code: 'resource_unknown',
      expected: first ?? '',
      got: second.slice(0, 200),
      fix: 'send `audience` or `resource`, not both',
    })
  }
  const chosen = first ?? defaultResource(subject.scope, fhir)?.url ?? fhir[0]?.url ?? ''
  return findResource(chosen, fhir)
}

/**
 * What an exchanged token says beside the usual: whom it is about, and who acts. The subject is not
 * taken over as it is: a foreign issuer may name somebody like a user or a client of ours.
 *
 * For the engine's `formats.customizers.jwt`.
 */
export function describeExchange(
  state: Partial<RequestState>,
  clientId: string,
  payload: Record<string, unknown>,
): void {
  const subject = state.exchanged
  if (subject === undefined) return
  const { patient, encounter, fhirUser, hasUser, issuer } = subject
  const isUsers = fhirUser !== undefined || hasUser === true
  Object.assign(payload, {
    ...(isUsers && { sub: foreignSubject(issuer, subject.subject) }),
    ...(patient !== undefined && { patient }),
    ...(encounter !== undefined && { encounter }),
    ...(fhirUser !== undefined && { fhirUser }),
    act: { sub: clientId },
    subject_issuer: issuer,
  })
}

function foreignSubject(issuer: string, subject: string): string {
  const digest = createHash('sha256').update(`${issuer}\n${subject}`).digest('base64url')
  return `x_${digest.slice(0, 32)}`
}

/** What the types of the engine leave out. */
interface EngineModels {
  readonly ClientCredentials: new (properties: {
    readonly client: unknown
    readonly scope: string
    readonly expiresIn: number
  }) => { resourceServer: unknown; save(): Promise<string> }
  readonly ResourceServer: new (url: string, info: object) => unknown
}
