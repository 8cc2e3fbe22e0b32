import { type CallerDetail, type Check, callerView, wwwAuthenticate } from '@scopegate/checks'
import type { Call } from './call.ts'

export interface ChallengeOptions {
  readonly realm: string
  /** Scopes that would do. */
  readonly scope?: string
  /** Where tokens bound by DPoP are accepted. */
  readonly dpopAlgorithms?: readonly string[] | undefined
  /** How much the caller may read. */
  readonly callers?: CallerDetail | undefined
  /** What is taken here; missing: tokens alone. */
  readonly schemes?: { readonly basic: boolean; readonly tokens: boolean } | undefined
}

const TOKENS = { basic: false, tokens: true }

/**
 * The value of `WWW-Authenticate`, with one challenge for each scheme; `undefined` where no other
 * credentials would help.
 * @see RFC 9110 §11.6.1; RFC 6750 §3; RFC 7617 §2
 */
export function challengeOf(
  call: Pick<Call, 'header'>,
  checks: readonly Check[],
  { dpopAlgorithms: algorithms, callers, schemes = TOKENS, ...named }: ChallengeOptions,
): string | undefined {
  const sent = call.header('authorization') ?? ''
  const status = callerView(checks)?.status
  // What a user may not do is not due to the scheme, and no scope is to be had for a password.
  const isOfUser = schemes.basic && /^basic /i.test(sent) && status === 403
  const bearer =
    schemes.tokens && !isOfUser
      ? wwwAuthenticate(checks, {
          ...named,
          ...(callers === undefined ? {} : { callers }),
          ...(algorithms === undefined ? {} : { dpop: { algorithms, used: /^dpop /i.test(sent) } }),
        })
      : undefined
  const basic =
    schemes.basic && status === 401 ? `Basic realm="${named.realm}", charset="UTF-8"` : undefined
  const all = [bearer, basic].filter((each) => each !== undefined)
  return all.length === 0 ? undefined : all.join(', ')
}
