/** How much and how long one upstream may take of this process. */
export interface UpstreamLimits {
  /** Largest request body; larger ones are refused with 413. */
  readonly bodyBytes: number
  /** Connections to the upstream at once. */
  readonly connections: number
  /** Requests that may wait for one; more are answered 503. */
  readonly queued: number
  readonly connectTimeoutMs: number
  /** Until the upstream has answered with its headers. */
  readonly headersTimeoutMs: number
  /** Between two pieces of its answer; 0 for never. */
  readonly bodyTimeoutMs: number
  /**
   * How fast a body must come while others wait for its place; slower ones are refused with 408.
   * 0 for never.
   */
  readonly bodyBytesPerSecond: number
  /** Over which time that is measured. */
  readonly bodyWindowMs: number
  /** Failures in a row after which the upstream is left alone for `breakerMs`. */
  readonly breakerFailures: number
  readonly breakerMs: number
}

export const UPSTREAM_LIMITS: UpstreamLimits = {
  bodyBytes: 1024 ** 3,
  connections: 32,
  queued: 1000,
  connectTimeoutMs: 5000,
  headersTimeoutMs: 30_000,
  bodyTimeoutMs: 30_000,
  bodyBytesPerSecond: 1024,
  bodyWindowMs: 10_000,
  breakerFailures: 5,
  breakerMs: 5000,
}
