import { assertionIssuer, isSameOrigin } from '../authentication/assertion-issuer.ts'
import { clientAttempts } from '../authentication/client-attempts.ts'
import { askToken } from '../request/ask-token.ts'
import { explainFailure } from '../request/explain-failure.ts'
import { explainFault } from '../request/explain-fault.ts'
import { parseBody } from '../request/parse-body.ts'
import { readRefusal, retryAfterOf } from '../request/read-refusal.ts'
import type { Runtimes } from '../request/requester-runtime.ts'
import { createScrub } from '../request/scrub.ts'
import { GRANT_TYPES, sentScopes } from '../request/token-form.ts'
import type { TokenOutcome, TokenTarget } from '../token-request.ts'
import type { Answer } from '../transport/transport.ts'
import type { BegunDevice, PendingDevice } from './sign-in-requester.ts'

/** Where the server says none. @see RFC 8628 §3.2 */
const DEFAULT_INTERVAL_SECONDS = 5
const DEFAULT_LIFETIME_SECONDS = 900
/** @see RFC 8628 §3.5 */
const SLOW_DOWN_SECONDS = 5

/** Asks for a code that the user enters on another device. @see RFC 8628 §3.1 */
export async function beginDevice(
  { deps, of }: Runtimes,
  target: TokenTarget,
  signal: AbortSignal,
): Promise<BegunDevice> {
  const { connection } = target
  const runtime = of(connection)
  const limited = AbortSignal.any([signal, AbortSignal.timeout(connection.transport.timeoutMs)])
  const [attempt] = clientAttempts(connection)
  try {
    const needed = ['deviceAuthorizationEndpoint', 'tokenEndpoint'] as const
    const server = await runtime.metadata.read(needed, limited)
    const { deviceAuthorizationEndpoint: endpoint = '', tokenEndpoint = '' } = server
    // Whoever gets an assertion is its audience: one for another server could be used there.
    const client = await attempt?.make({
      tokenEndpoint: isSameOrigin(tokenEndpoint, endpoint) ? tokenEndpoint : endpoint,
      serverIssuer: assertionIssuer(connection, server, endpoint),
      nowMs: deps.nowMs(),
      jti: deps.newId(),
    })
    const scopes = sentScopes(target)
    const form = new URLSearchParams({
      // Also beside HTTP Basic: many servers want it there. @see RFC 8628 §3.1
      client_id: connection.clientId,
      ...client?.form,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...(target.audience !== undefined && { audience: target.audience }),
    })
    const answer = await runtime.transport.send(
      {
        method: 'POST',
        url: endpoint,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
          ...client?.headers,
        },
        body: form.toString(),
      },
      limited,
    )
    const begun = readBegun(answer)
    if (begun !== undefined) return begun
    const secrets = [
      attempt?.secret,
      client?.form.client_assertion,
      client?.headers.authorization?.replace(/^Basic /, ''),
    ].filter((secret) => secret !== undefined)
    const retryAfterSeconds = retryAfterOf(answer, deps.nowMs())
    return {
      kind: 'failed',
      failure: explainFailure(target, {
        ...{ stage: 'device', wasSent: true, endpoint, grant: 'device_code' },
        ...(attempt && { attempt }),
        ...(answer.status < 400 && { finding: 'answer_malformed' }),
        message: readRefusal(answer, createScrub(secrets)),
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      }),
    }
  } catch (error) {
    const failure = explainFault(target, error, { stage: 'device', isTokenRequest: false })
    return { kind: 'failed', failure }
  }
}

/** Asks whether the user has agreed. `slow_down` makes the interval longer. */
export async function pollDevice(
  runtimes: Runtimes,
  target: TokenTarget,
  { deviceCode, intervalSeconds }: PendingDevice,
  signal: AbortSignal,
): Promise<TokenOutcome | { readonly kind: 'pending'; readonly intervalSeconds: number }> {
  const { connection } = target
  const outcome = await askToken({
    deps: runtimes.deps,
    runtime: runtimes.of(connection),
    target,
    grant: 'device_code',
    makeForm: async () => ({
      parameters: {
        grant_type: GRANT_TYPES.device_code,
        ...connection.parameters,
        client_id: connection.clientId,
        device_code: deviceCode,
      },
      secrets: [deviceCode],
    }),
    signal,
  })
  if (outcome.kind === 'token') return outcome
  const { error } = outcome.failure.provider ?? {}
  if (error === 'authorization_pending') return { kind: 'pending', intervalSeconds }
  if (error === 'slow_down') {
    return { kind: 'pending', intervalSeconds: intervalSeconds + SLOW_DOWN_SECONDS }
  }
  // Whoever has no answer asks again, not as often. @see RFC 8628 §3.5
  if (outcome.failure.kind === 'network' || outcome.failure.kind === 'temporary') {
    const { retryAfterSeconds = 0 } = outcome.failure
    return { kind: 'pending', intervalSeconds: Math.max(2 * intervalSeconds, retryAfterSeconds) }
  }
  return outcome
}

function readBegun(answer: Answer): BegunDevice | undefined {
  const body = parseBody(answer.text, answer.headers.get('content-type'))
  if (answer.status !== 200 || body.kind !== 'object') return undefined
  const text = (name: string) => {
    const value = body.value[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const number = (name: string) => {
    const value = Number(body.value[name])
    return Number.isFinite(value) && value > 0 ? Math.ceil(value) : undefined
  }
  const deviceCode = text('device_code')
  const userCode = text('user_code')
  // Google's name for it is older than the RFC.
  const verificationUri = webAddress(text('verification_uri') ?? text('verification_url'))
  if (deviceCode === undefined || userCode === undefined || verificationUri === undefined) return
  const whole = webAddress(text('verification_uri_complete'))
  return {
    kind: 'begun',
    userCode,
    verificationUri,
    ...(whole !== undefined && { verificationUriComplete: whole }),
    expiresInSeconds: number('expires_in') ?? DEFAULT_LIFETIME_SECONDS,
    pending: { deviceCode, intervalSeconds: number('interval') ?? DEFAULT_INTERVAL_SECONDS },
  }
}

/** It is shown to people, who open it. */
function webAddress(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined
}
