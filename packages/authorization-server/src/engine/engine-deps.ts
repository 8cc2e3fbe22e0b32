import type { Sessions, User, Users } from '@scopegate/identity'
import type { VerifiedToken } from '@scopegate/oauth-model'
import type { NetworkPolicy } from '@scopegate/token-verify'
import type { AdapterDeps } from '../adapter.ts'
import type { LaunchGrant } from '../grants/grants.ts'
import type { ProtectedResource } from '../resources.ts'
import type { RateLimiter } from '../token/failure-limiter.ts'
import type { OpenidHandling, ScopeRemark } from '../token/grant-scopes.ts'
import type { TokenRefusal } from '../token/token-refusal.ts'
import type { TokenExchangeDeps } from '../token-exchange/token-exchange-policy.ts'
import type { EnginePages } from './pages.ts'

/** Who can sign in. Without it the server has the flows of programs only. */
export interface People {
  readonly users: Pick<Users, 'find'>
  readonly sessions: Pick<Sessions, 'find' | 'isAlive' | 'end'>
}

export interface EngineDeps extends AdapterDeps {
  readonly issuer: string
  readonly resources: readonly ProtectedResource[]
  readonly accessTokenSeconds: number
  readonly userAccessTokenSeconds: number
  readonly refreshTokenSeconds: number
  readonly clockToleranceSeconds: number
  readonly requireAssertionIssuedAt: boolean
  readonly openidOnClientCredentials: OpenidHandling
  readonly people: People | undefined
  readonly pages: EnginePages
  /** Whose tokens may be exchanged; missing: nobody's. */
  readonly tokenExchange?: TokenExchangeDeps | undefined
  /** Authorization requests of one address: each is kept before anybody is known. */
  readonly starts: RateLimiter & { readonly perMinute: number }
  /** Cookies must reach pages in frames of other sites. */
  readonly embedded: boolean
  /** Whom the engine may call. */
  readonly network: NetworkPolicy
  /** Signs cookies; 32 bytes, the same in every process. */
  readonly cookieKey: Uint8Array
  /** Makes DPoP nonces; 32 bytes, the same in every process. */
  readonly dpopNonceKey: Uint8Array
  /** Epoch seconds. */
  readonly now: () => number
}

/** What our hooks leave for the answer. Held in `ctx.state`. */
export interface RequestState {
  address: string
  correlationId: string
  /** Epoch milliseconds. */
  startedMs: number
  remarks?: readonly ScopeRemark[]
  audience?: string
  /** The launch as the engine was told of it. */
  found?: LaunchGrant
  /** The launch that a token is for. */
  grant?: LaunchGrant
  /** Absolute. */
  fhirUser?: string
  /** Whose names the token holds; of grants for ordinary APIs. */
  namedUser?: Pick<User, 'username' | 'roles'>
  /** The scope that a refresh asked for. */
  requestedScope?: string
  /** The scope of the access token, where it is less than the grant. */
  narrowedScope?: string
  /** The foreign token that is exchanged for one of ours. */
  exchanged?: VerifiedToken
  /** Why the request was refused. */
  refusal?: TokenRefusal
}
