/** Placeholder until fhir-model publishes cardinalities. */
export function mandatoryElements(_type: string): ReadonlySet<string> {
  return new Set()
}
export function summaryElements(_type: string): ReadonlySet<string> {
  return new Set()
}
