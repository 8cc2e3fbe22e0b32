import { randomFillSync } from 'node:crypto'

// Random bytes are drawn in blocks: one call to the generator per id costs more than the id.
const pool = Buffer.alloc(10 * 256)
let used = pool.length

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const SANE = /^[A-Za-z0-9][A-Za-z0-9._~:-]{7,63}$/

/**
 * A new ULID: 48 bits of time, 80 random bits, sortable as text.
 * @param nowMs epoch milliseconds
 * @see https://github.com/ulid/spec
 */
export function newCorrelationId(nowMs: number): string {
  if (used + 10 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let time = ''
  let rest = nowMs
  for (let i = 0; i < 10; i += 1) {
    time = CROCKFORD[rest % 32]! + time
    rest = Math.floor(rest / 32)
  }
  let random = ''
  // 5 bytes are exactly 8 digits of 5 bits.
  for (let half = 0; half < 2; half += 1) {
    const at = used + half * 5
    const high = pool.readUInt32BE(at)
    const low = pool[at + 4]!
    random +=
      CROCKFORD[high >>> 27]! +
      CROCKFORD[(high >>> 22) & 31]! +
      CROCKFORD[(high >>> 17) & 31]! +
      CROCKFORD[(high >>> 12) & 31]! +
      CROCKFORD[(high >>> 7) & 31]! +
      CROCKFORD[(high >>> 2) & 31]! +
      CROCKFORD[((high & 3) << 3) | (low >>> 5)]! +
      CROCKFORD[low & 31]!
  }
  used += 10
  return time + random
}

/**
 * The id under which one request appears in answers, logs and traces: the caller's `X-Request-Id`
 * when it is 8–64 characters of `A-Za-z0-9._~:-`, else a new one. It is a label, never a proof.
 */
export function correlationIdOf(request: Request, nowMs: number): string {
  return correlationIdFrom(request.headers.get('x-request-id'), nowMs)
}

/** The same, from the header as Node has it. */
export function correlationIdFrom(
  sent: string | readonly string[] | null | undefined,
  nowMs: number,
): string {
  return typeof sent === 'string' && SANE.test(sent) ? sent : newCorrelationId(nowMs)
}
