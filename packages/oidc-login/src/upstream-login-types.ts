import type { Sealer } from '@scopegate/secrets'
import type { UpstreamClaims } from './claim-mapping.ts'
import type { EndedSession } from './logout-token.ts'
import type { Fetch } from './provider-fetch.ts'
import type { UpstreamProvider } from './upstream-provider.ts'
import type { UseOnce } from './used-once.ts'

export interface UpstreamLoginsDeps {
  readonly providers: readonly UpstreamProvider[]
  readonly sealer: Sealer
  /** The redirect URI of each provider: one of its own, as RFC 9700 §4.4.2 advises. */
  readonly callbackUrl: (provider: string) => string
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** Makes every sign-in work once. Default: in memory, for a single process. */
  readonly useOnce?: UseOnce
  readonly fetch?: Fetch
  /** For each request to a provider. Default 10 000. */
  readonly timeoutMs?: number
  /** Default 30. */
  readonly clockToleranceSeconds?: number
  /** Gives the tokens of a sign-in out too. Default: nobody sees them. */
  readonly keepTokens?: boolean
}

export interface BeginOptions {
  /** Where to go on afterwards: a path of this server. */
  readonly returnTo: string
  /** Fills in the user name there. */
  readonly loginHint?: string
  /** `login`: ask for the password again. `select_account`: offer another account. */
  readonly prompt?: 'login' | 'select_account'
  /** The longest time ago that the user may have signed in there; checked when it comes back. */
  readonly maxAgeSeconds?: number
}

export interface BegunLogin {
  /** Send the browser there. */
  readonly redirectTo: string
  /** For a cookie: HttpOnly, SameSite=Lax, gone after `maxAgeSeconds`. Sealed. */
  readonly state: string
  readonly maxAgeSeconds: number
}

/** Somebody whom a provider has signed in. The account's key is `issuer` with `subject`, nothing else. */
export interface CompletedLogin {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  readonly claims: UpstreamClaims
  readonly returnTo: string
  /** The session there, for back-channel logout. */
  readonly upstreamSessionId?: string
  /** For {@link UpstreamLogins.logoutUrl}; the ID token, sealed. Keep it with the session. */
  readonly logoutHint?: string
  /** How and when (epoch seconds) the user signed in there, if it says so. */
  readonly authentication: {
    readonly amr: readonly string[]
    readonly acr?: string
    readonly authTime?: number
  }
  /** Entra's `uti`, by which its sign-in log is searched. */
  readonly upstreamTokenId?: string
  /** What was left out, and why, for the operator. */
  readonly remarks: readonly string[]
  /** With `keepTokens` only. */
  readonly tokens?: ProviderTokens
}

/** What a provider handed out: secrets, for whoever keeps a session alive by them. */
export interface ProviderTokens {
  readonly accessToken: string
  readonly refreshToken?: string
  /** Epoch seconds; missing where the provider does not say. */
  readonly expiresAt?: number
  /** Space-separated; missing where it is what was asked for, or what it was before. */
  readonly scope?: string
  /** Of the ID token, and of userinfo where that was asked, verified but not mapped; none if none came. */
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface UpstreamLogins {
  list(): readonly { readonly name: string; readonly label: string }[]
  /** Starts a sign-in. @throws {LoginRefused} */
  begin(name: string, options: BeginOptions): Promise<BegunLogin>
  /**
   * Finishes a sign-in from the address the browser came back to and the cookie of `begin`. Remove
   * the cookie in any case.
   *
   * @throws {LoginRefused} with the check that failed.
   */
  complete(name: string, callbackUrl: URL, state: string | undefined): Promise<CompletedLogin>
  /**
   * New tokens for a refresh token. A new ID token must be of the same `subject`; its claims take the
   * place of those before.
   *
   * @throws {LoginRefused} `provider_unavailable` when it may work later
   * @see OpenID Connect Core 1.0 §12
   */
  refresh(
    name: string,
    options: { readonly refreshToken: string; readonly subject: string },
  ): Promise<ProviderTokens>
  /**
   * Where to send the browser to end the session there too; `undefined` when the provider has no
   * such address. `returnTo` is a full URL that is registered there. @throws {LoginRefused}
   * @see OpenID Connect RP-Initiated Logout 1.0
   */
  logoutUrl(
    name: string,
    options: { readonly returnTo: string; readonly logoutHint?: string },
  ): Promise<string | undefined>
  /**
   * Judges a logout token that the provider posted; the sessions it names are to be ended.
   * @throws {LogoutTokenRefused} @see OpenID Connect Back-Channel Logout 1.0 §2.6
   */
  verifyLogoutToken(name: string, logoutToken: string): Promise<EndedSession>
}
