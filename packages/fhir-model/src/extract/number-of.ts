/** Not in TypeScript's library yet. */
const { isRawJSON } = JSON as unknown as { isRawJSON(value: unknown): value is { rawJSON: string } }

/**
 * The number in a JSON value: a plain number, or a `JSON.rawJSON` object that keeps its text. Text
 * beyond the range of a double (`1e999`) is no number that could be compared.
 */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (!isRawJSON(value)) return undefined
  const number = Number(value.rawJSON)
  return Number.isFinite(number) ? number : undefined
}
