import type { ProviderSignal } from './provider-signal.ts'

/** A clock that is further off explains refused times. */
const NOTABLE_SKEW_SECONDS = 30

const said = ({ description }: ProviderSignal) =>
  description !== undefined && description !== '' && description !== 'null'

/** What can be asked of a signal, by name. */
export const SIGNAL_FACTS = {
  'clock-off': ({ clockSkewSeconds = 0 }) => Math.abs(clockSkewSeconds) >= NOTABLE_SKEW_SECONDS,
  'no-error': ({ error = '' }) => error === '',
  'no-description': (signal) => !said(signal),
  'server-error': ({ status = 0 }) => status >= 500 && status <= 599,
  'client-error': ({ status = 0 }) => status >= 400 && status <= 499,
  redirect: ({ status = 0 }) => status >= 300 && status <= 399,
  html: ({ contentType = '', excerpt = '' }) =>
    /\bhtml\b/i.test(contentType) || /^\s*<(?:!doctype|html)/i.test(excerpt),

  'secret-empty': ({ secret }) => secret?.lengthCharacters === 0,
  'secret-guid': ({ secret }) => secret?.isGuid === true,
  'secret-whitespace': ({ secret }) => secret?.hasEdgeWhitespace === true,
  'secret-quoted': ({ secret }) => secret?.isQuoted === true,
  'secret-byte-order-mark': ({ secret }) => secret?.hasByteOrderMark === true,
  'secret-placeholder': ({ secret }) => secret?.isPlaceholder === true,
  'secret-in-body': ({ authentication }) => authentication === 'client_secret_post',
  'secret-in-header': ({ authentication = '' }) => authentication.startsWith('client_secret_basic'),
  'secret-encoded': ({ secret, authentication }) =>
    secret?.needsEncoding === true && authentication === 'client_secret_basic',
  'no-authentication': ({ authentication }) => authentication === 'none',
  assertion: ({ authentication }) => authentication === 'private_key_jwt',
  'national-cloud': ({ endpoint = '' }) =>
    /login\.(?:microsoftonline\.us|partner\.)/.test(endpoint),
  'comma-scopes': ({ scopes = [] }) => scopes.some((scope) => scope.includes(',')),
  'client-credentials': ({ grant }) => grant === 'client_credentials',
  'dpop-off': ({ parameters = [] }) => !parameters.includes('DPoP'),
  'through-proxy': ({ proxy = 'none' }) => proxy !== 'none',
  'auth-path': ({ endpoint = '' }) => /\/auth\/realms\//.test(endpoint),

  'token-expired': ({ token }) => token?.secondsLeft !== undefined && token.secondsLeft <= 0,
  'no-roles': ({ token }) =>
    token !== undefined && !token.isOpaque && token.isAppOnly && token.roles.length === 0,
  'no-audience': ({ token }) =>
    token !== undefined && !token.isOpaque && token.audiences.length === 0,
  'other-audience': ({ token, resource }) =>
    token !== undefined && !token.isOpaque && isForAnother(token.audiences, resource),
  'no-openid-at-userinfo': ({ token, resource = '' }) =>
    /\/userinfo\b/.test(resource) && token !== undefined && !token.scopes.includes('openid'),
  'claims-challenge': ({ hasClaimsChallenge }) => hasClaimsChallenge === true,
  'known-needs': ({ neededScopes = [] }) => neededScopes.length > 0,
} as const satisfies Record<string, (signal: ProviderSignal) => boolean>

export type SignalFact = keyof typeof SIGNAL_FACTS

/**
 * Whether every audience is the address of another host than the resource's. Audiences that are no
 * addresses (client ids, GUIDs) say nothing, so they count as its own.
 */
function isForAnother(audiences: readonly string[], resource: string | undefined): boolean {
  const host = hostOf(resource)
  if (host === undefined || audiences.length === 0) return false
  return audiences.every((audience) => {
    const other = hostOf(audience)
    return other !== undefined && other !== host
  })
}

function hostOf(address: string | undefined): string | undefined {
  return /^https?:\/\/([^/?#]+)/i.exec(address ?? '')?.[1]?.toLowerCase()
}
