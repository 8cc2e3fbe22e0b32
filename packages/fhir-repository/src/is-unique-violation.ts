const UNIQUE_VIOLATION = '23505'

/** Whether two writers made the same row, and this one lost. */
export function isUniqueViolation(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ((at as { code?: unknown }).code === UNIQUE_VIOLATION) return true
  }
  return false
}
