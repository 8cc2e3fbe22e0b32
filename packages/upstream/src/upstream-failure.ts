/** Why a request has no answer of the upstream that could be passed on. */
export interface UpstreamFailure {
  readonly kind:
    | 'unreachable'
    | 'timeout'
    | 'broken'
    | 'request-too-large'
    | 'request-too-slow'
    /** No more requests may wait. */
    | 'busy'
    | 'token-rejected'
  /** `ECONNREFUSED`, `UND_ERR_SOCKET`; never a word of what it said. */
  readonly code: string
}

const TIMEOUTS = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
])
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
])
/** Its certificate is not one that is trusted for its name. */
const UNTRUSTED = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

export function failureOf(error: Error): UpstreamFailure {
  const { code = 'no code' } = error as NodeJS.ErrnoException
  if (TIMEOUTS.has(code)) return { kind: 'timeout', code }
  if (UNREACHABLE.has(code) || UNTRUSTED.test(code)) return { kind: 'unreachable', code }
  return { kind: 'broken', code }
}
