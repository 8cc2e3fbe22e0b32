import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
} from 'openid-client'
import { addUserInfo } from './add-user-info.ts'
import { checkAnswer, checkAnswerIssuer, checkFresh } from './check-answer.ts'
import { checkTenant, remarkOnOverage } from './check-tenant.ts'
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
import { tokensOf } from './provider-tokens.ts'
import { refusalOf } from './refusal-of.ts'
import { isOwnPath } from './return-to.ts'
import type {
  BeginOptions,
  BegunLogin,
  CompletedLogin,
  UpstreamLogins,
  UpstreamLoginsDeps,
} from './upstream-login-types.ts'
import { type ResolvedProvider, resolveProviders } from './upstream-provider.ts'
import { createUsedOnce } from './used-once.ts'

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

  function upstreamOf(name: string): Upstream {
    const upstream = upstreams.get(name)
    if (upstream !== undefined) return upstream
    throw new LoginRefused('provider_unknown', { got: `\`${shownText(name).slice(0, 64)}\`` })
  }

  async function begin(name: string, options: BeginOptions): Promise<BegunLogin> {
    const { provider, discover } = upstreamOf(name)
    if (!isOwnPath(options.returnTo))
      throw new LoginRefused('return_to_foreign', { provider: name })
    const startedMs = nowMs()
    const configuration = await discover().catch((error: unknown) => {
      if (!(error instanceof LoginRefused)) throw error
      throw error.at(name, options.returnTo, nowMs() - startedMs)
    })
    const state: LoginState = {
      provider: name,
      id: randomState(),
      nonce: randomNonce(),
      codeVerifier: randomPKCECodeVerifier(),
      returnTo: options.returnTo,
      ...(options.maxAgeSeconds === undefined ? {} : { maxAgeSeconds: options.maxAgeSeconds }),
      ...(options.prompt === 'login' ? { freshAfter: Math.floor(nowMs() / 1000) } : {}),
      expiresAt: Math.floor(nowMs() / 1000) + LOGIN_STATE_SECONDS,
    }
    const url = buildAuthorizationUrl(configuration, {
      ...provider.parameters,
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
    const startedMs = nowMs()
    const state = openLoginState(sealed, sealer, Math.floor(nowMs() / 1000))
    try {
      return await finish(upstream, answered, state)
    } catch (error) {
      if (!(error instanceof LoginRefused)) throw error
      throw error.at(name, state.returnTo, nowMs() - startedMs)
    }
  }

  async function finish(
    { provider, discover }: Upstream,
    answered: URL,
    state: LoginState,
  ): Promise<CompletedLogin> {
    checkAnswer(provider.name, answered.searchParams, state)
    if (!(await useOnce(`upstream-login:${state.id}`, state.expiresAt))) {
      throw new LoginRefused('state_used')
    }
    const configuration = await discover()
    const own = callbackUrl(provider.name)
    const shared = [...upstreams.keys()].filter((name) => callbackUrl(name) === own).length > 1
    checkAnswerIssuer(answered.searchParams, configuration.serverMetadata(), shared)

    // The address as registered, not as a proxy forwarded it: it becomes `redirect_uri`.
    const current = new URL(own)
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
    checkFresh(idToken, state, deps.clockToleranceSeconds ?? 30)
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
      ...(deps.keepTokens ? { tokens: tokensOf(tokens, claims, nowMs()) } : {}),
    }
  }

  return {
    list: () => [...upstreams.values()].map(({ provider: { name, label } }) => ({ name, label })),
    begin,
    complete,

    async refresh(name, { refreshToken, subject }) {
      const { provider, discover } = upstreamOf(name)
      const configuration = await discover()
      const tokens = await refreshTokenGrant(configuration, refreshToken).catch(
        (error: unknown) => {
          throw refusalOf(error, provider, 'grant')
        },
      )
      const idToken: Readonly<Record<string, unknown>> | undefined = tokens.claims()
      if (idToken !== undefined && idToken.sub !== subject) {
        throw new LoginRefused('id_token_malformed', {
          provider: name,
          expected: 'the `sub` of the sign-in',
          got: 'another one',
        })
      }
      if (idToken === undefined) return tokensOf(tokens, undefined, nowMs())
      checkTenant(provider, idToken)
      // The refresh token before is used up: what fails from here on must not lose the new one.
      const { access_token: accessToken } = tokens
      const claims = await addUserInfo(
        configuration,
        provider,
        idToken,
        accessToken,
        subject,
      ).catch(() => undefined)
      return tokensOf(tokens, claims, nowMs())
    },

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
