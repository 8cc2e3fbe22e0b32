import { fail, pass, type Told, warn } from './finding.ts'
import type { Probed } from './probe.ts'

const DAY_MS = 86_400_000

/** How long a certificate lasts. */
export function judgeCertificateEnd(endsMs: number, nowMs: number, fix: string): Told {
  const days = Math.floor((endsMs - nowMs) / DAY_MS)
  const until = new Date(endsMs).toISOString().slice(0, 10)
  if (days < 0) return fail('certificate', `expired on ${until}`, fix)
  if (days < 14) return warn('certificate', `ends in ${days} days, on ${until}`, fix)
  return pass('certificate', `good until ${until}`)
}

/** What an answer shows of the other side's clock: tokens are judged by both. */
export function judgeClock(
  { dateMs, atMs, halfTripMs }: Probed,
  toleranceSeconds: number,
): readonly Told[] {
  if (dateMs === undefined) return []
  // `Date` is cut to the second.
  const behindMs = atMs - dateMs
  const uncertainMs = halfTripMs + 1000
  const least = Math.max(0, Math.abs(behindMs - 500) - uncertainMs) / 1000
  const shown = `${Math.abs(behindMs / 1000).toFixed(1)} s ${behindMs > 0 ? 'behind' : 'ahead of'} this server`
  if (least <= Math.min(2, toleranceSeconds)) return [pass('clock', 'the same as here')]
  const fix =
    'set both clocks by NTP; tokens look expired, or not yet valid, when they differ by more than tokens.clockToleranceSeconds'
  return least > toleranceSeconds ? [fail('clock', shown, fix)] : [warn('clock', shown, fix)]
}

/** A connection that is not secured and leaves the machine. */
export function judgeScheme(address: string, isLocal: boolean): readonly Told[] {
  if (new URL(address).protocol === 'https:' || isLocal) return []
  return [warn('transport', 'plain http', 'use https, unless the network between is your own')]
}
