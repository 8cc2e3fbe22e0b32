import type { Connection } from '../connection.ts'

/** Between the end of a token request and the end of its lease: to store the answer. */
export const LEASE_MARGIN_MS = 5000
/** So that a request's own time-out, which knows more, comes before ours. */
const SLACK_MS = 500
/** A process that was killed keeps the others waiting that long at most. */
export const LONGEST_LEASE_MS = 300_000

/**
 * How long a lease of this connection lasts: longer than its token request can take, or two could ask
 * at once, and a provider that rotates refresh tokens would end the sign-in.
 *
 * @param leaseMs a setting for all connections
 * @throws {RangeError} if that is too short, in words for the operator
 */
export function leaseMsOf(
  { name, transport }: Pick<Connection, 'name' | 'transport'>,
  leaseMs = transport.timeoutMs + SLACK_MS + LEASE_MARGIN_MS,
): number {
  const problem = findLeaseProblem(transport.timeoutMs, leaseMs)
  if (problem !== undefined) throw new RangeError(`connection \`${name}\`: ${problem}`)
  return leaseMs
}

/** What is wrong with a lease for requests that may take so long; `undefined`: nothing. */
export function findLeaseProblem(
  timeoutMs: number,
  leaseMs = timeoutMs + SLACK_MS + LEASE_MARGIN_MS,
): string | undefined {
  const leastMs = timeoutMs + LEASE_MARGIN_MS
  if (leaseMs < leastMs) {
    return `the lease must exceed the timeout: requests may take ${timeoutMs / 1000} s and storing their answer ${LEASE_MARGIN_MS / 1000} s, the lease lasts ${leaseMs / 1000} s; make it at least ${leastMs / 1000} s, or the timeout shorter`
  }
  if (leaseMs > LONGEST_LEASE_MS) {
    return `a lease of ${leaseMs / 1000} s is too long: if the process that holds it is killed, nobody gets a token for that time; at most ${LONGEST_LEASE_MS / 1000} s, so make the timeout shorter`
  }
  return undefined
}
