import type { ApiCall } from './call.ts'
import type { Judge } from './judge.ts'

/**
 * When the credentials of a call end by themselves, by the clock of timers; `undefined` where they
 * do not, or move with their use as those of a session.
 */
export function credentialsEndMs({ caller }: ApiCall, nowMs: () => number): number | undefined {
  if (caller?.expiresAt === undefined || caller.fingerprint === undefined) return undefined
  return Date.now() + caller.expiresAt * 1000 - nowMs()
}

/**
 * Whether what was opened may stay open, asked every few seconds since nobody tells of a revocation.
 * A proof of possession works once: it was given when it was opened, and is not asked for again.
 */
export async function isStillPermitted(call: ApiCall, judge: Judge): Promise<boolean> {
  const judgement = await judge({ ...call, checks: [], isAskedAgain: true })
  if (judgement.kind === 'permitted') return true
  // What was verified stays so while its issuer is away: a timer ends it with its token.
  return judgement.isOutage === true && call.caller?.expiresAt !== undefined
}
