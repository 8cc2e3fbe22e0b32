/** The sample's newest day. Fixed, so that the same seed gives the same text for ever. */
const LAST_DAY_MS = Date.UTC(2026, 5, 30)
const DAY_MS = 86_400_000

/** An instant `daysBefore` the sample's newest day, at `minuteOfDay`, as a FHIR dateTime. */
export function instantBefore(daysBefore: number, minuteOfDay: number): string {
  const at = new Date(LAST_DAY_MS - daysBefore * DAY_MS + minuteOfDay * 60_000)
  return `${at.toISOString().slice(0, 19)}Z`
}

/** A day `daysBefore` the sample's newest day, as a FHIR date. */
export function dayBefore(daysBefore: number): string {
  return new Date(LAST_DAY_MS - daysBefore * DAY_MS).toISOString().slice(0, 10)
}
