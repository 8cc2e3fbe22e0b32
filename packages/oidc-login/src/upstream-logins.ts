import type { Sealer } from '@scopegate/secrets'
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client'
import { checkTenant, remarkOnOverage } from './check-tenant.ts'
import { claimsOf, readClaim, type UpstreamClaims } from './claim-mapping.ts'
import { createClientAuthentication } from './client-authentication.ts'
import { createDiscovery } from './discover.ts'
import { LoginRefused, shownText } from './login-refused.ts'
import {
  LOGIN_STATE_SECONDS,
  type LoginState,
  openLoginState,
  sealLoginState,
} from './login-state.ts'
import { createLogoutTokenVerifier, type EndedSession } from './logout-token.ts'
import { mapClaims } from './map-claims.ts'
import type { Fetch } from './provider-fetch.ts'
import { refusalOf } from './refusal-of.ts'
import { isOwnPath } from './return-to.ts'
import {
  type ResolvedProvider,
  resolveProviders,
  type UpstreamProvider,
} from './upstream-provider.ts'
import { createUsedOnce, type UseOnce } from './used-once.ts'

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

const HINT_CONTEXT = 'upstream-logout-hint'
const MAX_HINT_CHARACTERS = 8192

interface Upstream {
  readonly provider: ResolvedProvider
  readonly discover: () => Promise<Configuration>
  readonly verifyLogoutToken: (token: string) => Promise<EndedSession>
}

/**
 * Sign-in at other OpenID Providers by authorization code with PKCE, state and nonce. Holds no
 * sessions and no users. @throws {UpstreamProviderError} when a provider's settings cannot work.
 *
 * @see OpenID Connect Core 1.0 §3.1, RFC 9700 §2.1, RFC 9207
 */
export function createUpstreamLogins(deps: UpstreamLoginsDeps): UpstreamLogins {
  const { sealer, nowMs, callbackUrl } = deps
  const useOnce = deps.useOnce ?? createUsedOnce(nowMs)
  const upstreams = new Map<string, Upstream>()
  for (const [name, provider] of resolveProviders(deps.providers)) {
    const discover = createDiscovery({
      provider,
      authenticate: createClientAuthentication(provider),
      nowMs,
      fetch: deps.fetch ?? ((url, init) => fetch(url, init)),
      timeoutMs: deps.timeoutMs ?? 10_000,
      clockToleranceSeconds: deps.clockToleranceSeconds ?? 30,
    })
    const verifyLogoutToken = createLogoutTokenVerifier({ ...deps, provider, discover, useOnce })
    upstreams.set(name, { provider, discover, verifyLogoutToken })
  }
  const callbacks = [...upstreams.keys()].map(callbackUrl)

  function upstreamOf(name: string): Upstream {
    const upstream = upstreams.get(name)
    if (upstream !== undefined) return upstream
    throw new LoginRefused('provider_unknown', { got: `\`${shownText(name).slice(0, 64)}\`` })
  }

  async function begin(name: string, options: BeginOptions): Promise<BegunLogin> {
    const { provider, discover } = upstreamOf(name)
    if (!isOwnPath(options.returnTo))
      throw new LoginRefused('return_to_foreign', { provider: name })
    const configuration = await discover()
    const state: LoginState = {
      provider: name,
      id: randomState(),
      nonce: randomNonce(),
      codeVerifier: randomPKCECodeVerifier(),
      returnTo: options.returnTo,
      ...(options.maxAgeSeconds === undefined ? {} : { maxAgeSeconds: options.maxAgeSeconds }),
      expiresAt: Math.floor(nowMs() / 1000) + LOGIN_STATE_SECONDS,
    }
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: callbackUrl(name),
      scope: provider.scopes.join(' '),
      state: state.id,
      nonce: state.nonce,
      code_challenge: await calculatePKCECodeChallenge(state.codeVerifier),
      code_challenge_method: 'S256',
      ...(options.loginHint === undefined ? {} : { login_hint: options.loginHint }),
      ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
      ...(options.maxAgeSeconds === undefined ? {} : { max_age: String(options.maxAgeSeconds) }),
      ...(provider.hostedDomain === undefined ? {} : { hd: provider.hostedDomain }),
    })
    return {
      redirectTo: url.href,
      state: sealLoginState(state, sealer),
      maxAgeSeconds: LOGIN_STATE_SECONDS,
    }
  }

  async function complete(
    name: string,
    answered: URL,
    sealed: string | undefined,
  ): Promise<CompletedLogin> {
    const upstream = upstreamOf(name)
    const state = openLoginState(sealed, sealer, Math.floor(nowMs() / 1000))
    try {
      return await finish(upstream, answered, state)
    } catch (error) {
      throw error instanceof LoginRefused ? error.at(name, state.returnTo) : error
    }
  }

  async function finish(
    { provider, discover }: Upstream,
    answered: URL,
    state: LoginState,
  ): Promise<CompletedLogin> {
    checkAnswer(provider, answered.searchParams, state)
    if (!(await useOnce(`upstream-login:${state.id}`, state.expiresAt))) {
      throw new LoginRefused('state_used')
    }
    const configuration = await discover()
    checkIssuer(provider, configuration, answered.searchParams)

    // The address as registered, not as a proxy forwarded it: it becomes `redirect_uri`.
    const current = new URL(callbackUrl(provider.name))
    current.search = answered.search
    const tokens = await authorizationCodeGrant(configuration, current, {
      expectedState: state.id,
      expectedNonce: state.nonce,
      pkceCodeVerifier: state.codeVerifier,
      idTokenExpected: true,
      ...(state.maxAgeSeconds === undefined ? {} : { maxAge: state.maxAgeSeconds }),
    }).catch((error: unknown) => {
      throw refusalOf(error, provider, 'grant')
    })
    const idToken: Readonly<Record<string, unknown>> | undefined = tokens.claims()
    if (idToken === undefined) throw new LoginRefused('id_token_missing')
    checkTenant(provider, idToken)

    const subject = String(idToken.sub)
    const claims = await addUserInfo(configuration, provider, idToken, tokens.access_token, subject)
    const mapped = mapClaims(provider.claims, claims, {
      verifiedClaim: provider.rules.emailVerifiedClaim,
      trusted: provider.trustEmail ?? false,
    })
    const { sid, uti, acr, auth_time: authTime, amr } = idToken
    return {
      provider: provider.name,
      issuer: String(idToken.iss),
      subject,
      claims: mapped.claims,
      returnTo: state.returnTo,
      ...(typeof sid === 'string' ? { upstreamSessionId: sid } : {}),
      ...(tokens.id_token === undefined || tokens.id_token.length > MAX_HINT_CHARACTERS
        ? {}
        : { logoutHint: sealer.seal(tokens.id_token, HINT_CONTEXT) }),
      authentication: {
        amr: Array.isArray(amr) ? amr.filter((method) => typeof method === 'string') : [],
        ...(typeof acr === 'string' ? { acr } : {}),
        ...(typeof authTime === 'number' ? { authTime } : {}),
      },
      ...(provider.rules.quirk === 'entra' && typeof uti === 'string'
        ? { upstreamTokenId: shownText(uti) }
        : {}),
      remarks: [...mapped.remarks, ...remarkOnOverage(provider, idToken)],
    }
  }

  /** What can be judged before the provider is asked anything. */
  function checkAnswer(provider: ResolvedProvider, answer: URLSearchParams, state: LoginState) {
    if (state.provider !== provider.name) {
      throw new LoginRefused('state_of_other_provider', {
        expected: `an answer of \`${state.provider}\``,
        got: `one at the address of \`${provider.name}\``,
      })
    }
    if (answer.getAll('state').length !== 1 || answer.get('state') !== state.id) {
      throw new LoginRefused('state_mismatch')
    }
    if (!answer.has('code') && !answer.has('error')) throw new LoginRefused('code_missing')
  }

  /** RFC 9207 §2.4; required where another provider answers at the same address. */
  function checkIssuer(
    provider: ResolvedProvider,
    configuration: Configuration,
    answer: URLSearchParams,
  ) {
    const metadata = configuration.serverMetadata()
    const expected = metadata.issuer
    const own = callbackUrl(provider.name)
    const shared = callbacks.filter((url) => url === own).length > 1
    const got = answer.getAll('iss')
    if (got.length === 0) {
      if (!shared && !metadata.authorization_response_iss_parameter_supported) return
      throw new LoginRefused('issuer_missing', { expected: `\`iss\` \`${expected}\`` })
    }
    if (got.length === 1 && got[0] === expected) return
    throw new LoginRefused('issuer_mismatch', {
      expected: `\`iss\` \`${expected}\``,
      got: `\`${shownText(got.join(' '))}\``,
    })
  }

  return {
    list: () => [...upstreams.values()].map(({ provider: { name, label } }) => ({ name, label })),
    begin,
    complete,

    async logoutUrl(name, { returnTo, logoutHint }) {
      const configuration = await upstreamOf(name).discover()
      if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined
      return buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: returnTo,
        ...(logoutHint === undefined
          ? {}
          : { id_token_hint: sealer.unseal(logoutHint, HINT_CONTEXT).toString('utf8') }),
      }).href
    },

    verifyLogoutToken: (name, token) => upstreamOf(name).verifyLogoutToken(token),
  }
}

/** Claims of the ID token, and those of userinfo that it lacks, where the mapping wants them. */
async function addUserInfo(
  configuration: Configuration,
  provider: ResolvedProvider,
  idToken: Readonly<Record<string, unknown>>,
  accessToken: string,
  subject: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { rules, claims } = provider
  const hasEndpoint = configuration.serverMetadata().userinfo_endpoint !== undefined
  if (rules.userInfo === 'never' || !hasEndpoint) return idToken
  const sources = Object.values(claims)
    .filter((source) => source !== undefined)
    .flatMap((source) => claimsOf(typeof source === 'string' ? source : source.from))
  if (sources.every((source) => readClaim(source, idToken) !== undefined)) return idToken
  const info = await fetchUserInfo(configuration, accessToken, subject).catch((error: unknown) => {
    throw refusalOf(error, provider, 'userinfo')
  })
  return { ...info, ...idToken }
}
