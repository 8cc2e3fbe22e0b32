/** No answer came. */
export class TransportFault extends Error {
  override readonly name = 'TransportFault'
  /** `code` of Node, OpenSSL or undici; `timeout`, `aborted`, `answer_too_large` or `refused`. */
  readonly code: string
  /** Whether the request may have reached the server. */
  readonly wasSent: boolean
  /** The proxy that was to be used. */
  readonly proxy: string

  constructor(message: string, facts: { code: string; wasSent: boolean; proxy: string }) {
    super(message)
    this.code = facts.code
    this.wasSent = facts.wasSent
    this.proxy = facts.proxy
  }
}

/** The one cause among many that says something: undici and Node wrap errors in each other. */
export function codeOf(error: unknown): string {
  const seen = new Set<unknown>()
  let found = 'unknown'
  for (let at = error; at instanceof Error && !seen.has(at); at = innerOf(at)) {
    seen.add(at)
    const { code } = at as NodeJS.ErrnoException
    // What undici says of itself is less than what Node says of the cause.
    if (typeof code === 'string' && (found === 'unknown' || found.startsWith('UND_'))) found = code
  }
  return found
}

function innerOf(error: Error): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors[0]
  return error.cause
}
