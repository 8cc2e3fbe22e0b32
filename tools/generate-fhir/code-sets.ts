import { compare, type Definitions, type Json } from './definitions.ts'

export interface CodeSets {
  /** The only system of a value set's expansion. */
  readonly impliedSystem: (valueSet: string) => string | undefined
  /** `system|code`s of a value set; `undefined` when its expansion is not known or not HL7's. */
  readonly codes: (
    valueSet: string,
  ) => readonly (readonly [system: string, code: string])[] | undefined
}

/** Code systems that HL7 declares case-insensitive, sorted. */
export function caseInsensitiveSystems({ examples }: Definitions): readonly string[] {
  return (examples.get('CodeSystem') ?? [])
    .filter((system: Json) => system.caseSensitive === false)
    .map((system: Json) => system.url as string)
    .sort(compare)
}

/** SNOMED, LOINC, UCUM, SPDX, ISO … keep their owners' terms: only HL7's own codes are shipped. */
const isHl7Owned = (system: string): boolean =>
  /^http:\/\/(hl7\.org\/fhir|terminology\.hl7\.org)\//.test(system) &&
  system !== 'http://hl7.org/fhir/spdx-license'

export function readCodeSets({ expansions }: Definitions): CodeSets {
  const byUrl = new Map<string, readonly (readonly [string, string])[]>()
  for (const valueSet of expansions.get('ValueSet') ?? []) {
    if (valueSet.expansion === undefined) continue
    byUrl.set(valueSet.url, codesOf(valueSet.expansion.contains ?? []))
  }
  return {
    impliedSystem(url) {
      const systems = new Set((byUrl.get(url) ?? []).map(([system]) => system))
      return systems.size === 1 ? [...systems][0] : undefined
    },
    codes(url) {
      const codes = byUrl.get(url)
      if (codes === undefined || codes.length === 0) return undefined
      return codes.every(([system]) => isHl7Owned(system)) ? codes : undefined
    },
  }
}

function codesOf(contains: readonly Json[]): (readonly [string, string])[] {
  return contains.flatMap((entry) => [
    ...(entry.code !== undefined && entry.abstract !== true
      ? [[String(entry.system), String(entry.code)] as const]
      : []),
    ...codesOf(entry.contains ?? []),
  ])
}
