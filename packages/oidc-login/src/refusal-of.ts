import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { type LoginReason, LoginRefused, shownText } from './login-refused.ts'
import { AddressRefused, ProviderUnreachable } from './provider-fetch.ts'
import type { ResolvedProvider } from './upstream-provider.ts'

/** Which claim of the ID token was wrong, to the reason. */
const BY_CLAIM: Readonly<Record<string, LoginReason>> = {
  iss: 'id_token_issuer',
  aud: 'id_token_audience',
  azp: 'id_token_audience',
  nonce: 'id_token_nonce',
}

/** Claims whose values may be told: they name servers and clients, not people. */
const TELLABLE = new Set(['iss', 'aud', 'azp', 'exp', 'iat', 'nbf', 'auth_time'])

/**
 * What went wrong, in our words, at the step in which openid-client threw. What is not the
 * provider's doing (a bug here) is given back as it is. The errors of openid-client are not kept as
 * `cause`: they hold whole tokens and claims.
 */
export function refusalOf(
  error: unknown,
  provider: ResolvedProvider,
  step: 'discovery' | 'grant' | 'userinfo',
): unknown {
  if (error instanceof LoginRefused) return error
  const refuse = (reason: LoginReason, detail: object = {}) =>
    new LoginRefused(reason, { provider: provider.name, ...detail })

  const chain = causesOf(error)
  const silent = chain.find((cause) => cause instanceof ProviderUnreachable)
  if (silent) return refuse('provider_unavailable', { got: silent.message, cause: silent })
  const forbidden = chain.find((cause) => cause instanceof AddressRefused)
  if (forbidden) {
    return refuse('discovery_unusable', {
      expected: 'https endpoints',
      got: forbidden.message,
    })
  }

  if (error instanceof AuthorizationResponseError) {
    const { error: code, error_description: description } = error
    return providerSaidNo(provider, 'provider_said_no', code, description)
  }
  if (error instanceof ResponseBodyError) {
    const reason =
      step === 'userinfo'
        ? 'userinfo_refused'
        : /^(invalid_client|unauthorized_client)$/.test(error.error)
          ? 'client_refused'
          : 'upstream_code_refused'
    return providerSaidNo(provider, reason, error.error, error.error_description)
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    return refuse(step === 'userinfo' ? 'userinfo_refused' : 'client_refused', {
      got: `status ${error.status}`,
    })
  }
  if (!(error instanceof ClientError)) return error
  if (error.code === 'OAUTH_TIMEOUT') return refuse('provider_unavailable', { got: 'no answer' })
  if (step === 'discovery') return discoveryRefusal(error, refuse)
  if (step === 'userinfo') return refuse('userinfo_refused', { got: lastMessage(chain) })
  return grantRefusal(error, chain, refuse)
}

type Refuse = (reason: LoginReason, detail?: object) => LoginRefused

function discoveryRefusal(error: ClientError, refuse: Refuse): LoginRefused {
  const { expected, body, attribute } = (error.cause ?? {}) as {
    readonly expected?: string
    readonly attribute?: string
    readonly body?: { readonly issuer?: unknown }
  }
  if (attribute === 'issuer' && typeof body?.issuer === 'string') {
    return refuse('discovery_mismatch', {
      expected: `issuer \`${expected}\``,
      got: `issuer \`${shownText(body.issuer)}\``,
    })
  }
  const status = error.cause instanceof Response ? ` (status ${error.cause.status})` : ''
  return refuse('discovery_unusable', {
    expected: 'the JSON of OpenID Connect Discovery',
    got: `${error.message}${status}`,
  })
}

function grantRefusal(error: ClientError, chain: readonly unknown[], refuse: Refuse): LoginRefused {
  const detail = chain
    .map((cause) => (cause instanceof Error ? cause.cause : undefined))
    .find((cause) => typeof cause === 'object' && cause !== null && !(cause instanceof Error)) as
    | Readonly<Record<string, unknown>>
    | undefined
  const said = lastMessage(chain)
  const claim = typeof detail?.claim === 'string' ? detail.claim : missingClaim(said)
  const claims = (detail?.claims ?? {}) as Readonly<Record<string, unknown>>

  switch (error.code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return refuse(BY_CLAIM[claim ?? ''] ?? 'id_token_malformed', {
        expected: tell(claim, detail?.expected) ?? `another \`${claim}\``,
        ...(tell(claim, claims[claim ?? '']) === undefined
          ? {}
          : { got: tell(claim, claims[claim ?? '']) }),
      })
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return refuse('id_token_times', {
        expected: `\`${claim}\` to fit the clock here (${String(detail?.now ?? 'now')})`,
        got: tell(claim, claims[claim ?? '']) ?? said,
      })
    case 'OAUTH_KEY_SELECTION_FAILED':
      return refuse('id_token_key', { got: said })
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return refuse('id_token_algorithm', { got: algorithmIn(detail) ?? said })
    case 'OAUTH_RESPONSE_IS_NOT_CONFORM':
    case 'OAUTH_RESPONSE_IS_NOT_JSON':
    case 'OAUTH_PARSE_ERROR':
      return refuse('answer_malformed', { got: error.message })
  }
  if (/signature/.test(said)) return refuse('id_token_signature')
  if (/"alg"/.test(said)) return refuse('id_token_algorithm', { got: algorithmIn(detail) ?? said })
  if (/"id_token" (property )?(missing|must)|ID Token.*missing/.test(said)) {
    return refuse('id_token_missing')
  }
  if (claim !== undefined && BY_CLAIM[claim] !== undefined) {
    return refuse(BY_CLAIM[claim], { expected: `a \`${claim}\``, got: 'none' })
  }
  if (/JWT|ID Token/.test(said)) return refuse('id_token_malformed', { got: said })
  return refuse('answer_malformed', { got: said })
}

function providerSaidNo(
  provider: ResolvedProvider,
  reason: LoginReason,
  code: string,
  description: string | undefined,
): LoginRefused {
  const said = shownText(description ?? '')
  const fixes = provider.rules.fixes
  // Entra tells its own code at the start of the description only.
  const known = [/\bAADSTS\d+\b/.exec(said)?.[0] ?? '', code].find((key) =>
    Object.hasOwn(fixes, key),
  )
  return new LoginRefused(reason, {
    provider: provider.name,
    got: `\`${shownText(code)}\`${said === '' ? '' : ` (${firstSentence(said)})`}`,
    ...(known === undefined ? {} : { fix: fixes[known] as string }),
  })
}

/** The rest of a description is for a browser: correlation ids, and at times who the user is. */
function firstSentence(text: string): string {
  return text.replaceAll(/\S+@\S+/g, '…').split(/\. |Trace ID|Correlation ID/)[0] ?? ''
}

function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = []
  let at: unknown = error
  while (at !== undefined && at !== null && chain.length < 10) {
    chain.push(at)
    at = at instanceof Error ? at.cause : undefined
  }
  return chain
}

function lastMessage(chain: readonly unknown[]): string {
  const messages = chain.filter((cause) => cause instanceof Error).map(({ message }) => message)
  return shownText(messages.at(-1) ?? '')
}

function missingClaim(message: string): string | undefined {
  return /"(\w+)" (?:\([^)]*\) )?claim/.exec(message)?.[1]
}

function tell(claim: string | undefined, value: unknown): string | undefined {
  if (claim === undefined || value === undefined || !TELLABLE.has(claim)) return undefined
  return `\`${claim}\` ${shownText(JSON.stringify(value))}`
}

function algorithmIn(detail: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const header = detail?.header as { readonly alg?: unknown } | undefined
  const alg = header?.alg ?? detail?.alg
  return typeof alg === 'string' ? `algorithm \`${shownText(alg)}\`` : undefined
}
