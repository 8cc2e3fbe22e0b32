import type { UpstreamLimits } from '@scopegate/upstream'
import type { ApiCors } from './cors.ts'
import type { RouteTable } from './route-table.ts'

/** How callers say who they are: a token, a session of a browser, or either. */
export const AUTH_MODES = ['bearer', 'login', 'both'] as const
export type AuthMode = (typeof AUTH_MODES)[number]

/** Schemes of `Authorization`. Where both are accepted and both come, both must pass. */
export const AUTH_SCHEMES = ['oauth2', 'basic'] as const
export type AuthScheme = (typeof AUTH_SCHEMES)[number]

/** What an identity header may carry; `claim:` takes a claim or a JSON pointer. */
export const IDENTITY_FIELDS = [
  'username',
  'subject',
  'scopes',
  'roles',
  'client',
  'issuer',
] as const
export type IdentityField = (typeof IDENTITY_FIELDS)[number] | `claim:${string}`

/** One rule of an API: which requests, and what they need. */
export interface ApiRoute {
  /** Below the API: `/transfer`, `/accounts/{id}`, `/public/*`. */
  readonly path: string
  /** Upper case; empty for any. `HEAD` goes with `GET`. */
  readonly methods: readonly string[]
  /** Nobody is asked who they are. */
  readonly public: boolean
  /** All of them are needed. */
  readonly scopes: readonly string[]
  /** And all of one of these lists; missing or empty for no more. */
  readonly anyOf?: readonly (readonly string[])[] | undefined
  /** One of them is needed. */
  readonly roles: readonly string[]
}

export interface ApiAuth {
  readonly mode: AuthMode
  readonly schemes: readonly AuthScheme[]
  /** Issuers whose tokens are accepted. */
  readonly issuers: readonly string[]
  /** Accepted audiences; the API's own URL is always among them. */
  readonly audiences: readonly string[]
  /** Without all of them nothing but public routes is open. */
  readonly requiredScopes: readonly string[]
  /** The claim, or JSON pointer, that names the user. */
  readonly username: string
  /** The claim that holds roles (a list, or words), and what is put before each. */
  readonly roles: { readonly from: string; readonly prefix: string }
  /** What a user who sent name and password may do, as if a token held these scopes. */
  readonly basicScopes: readonly string[]
}

export interface ApiForward {
  /** Header (as written) and what it carries. Copies that callers send never arrive. */
  readonly headers: readonly (readonly [name: string, field: IdentityField])[]
  /** A short-lived JWT, signed by this server, that says who calls. */
  readonly jwt?: { readonly header: string; readonly audience: string; readonly seconds: number }
  readonly authorization: 'strip' | 'keep'
  /** The connection whose token the upstream gets. */
  readonly tokenOf?: string
}

/** @see UpstreamLimits */
export type ApiLimits = UpstreamLimits

/** An ordinary API or web app behind the gateway, compiled: nothing of it is parsed per request. */
export interface Api {
  readonly name: string
  /** Where it is mounted: `/bank`, no final slash. */
  readonly path: string
  /** Its public URL, and the audience of its tokens. */
  readonly url: string
  /** Scheme, host and port of the upstream. */
  readonly upstreamOrigin: string
  /** What stands before the path there; `''` for nothing. */
  readonly upstreamPath: string
  /** Whether `path` stays in front of what the upstream sees. */
  readonly keepPath: boolean
  readonly auth: ApiAuth
  /** Missing: nothing is said to pages of other origins but what the upstream says. */
  readonly cors?: ApiCors
  readonly routes: RouteTable
  readonly forward: ApiForward
  readonly limits: ApiLimits
}
