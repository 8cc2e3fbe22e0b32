import { CASE_INSENSITIVE_SYSTEMS } from '../generated/code-systems.ts'

const INSENSITIVE: ReadonlySet<string> = new Set(CASE_INSENSITIVE_SYSTEMS)

/**
 * Whether codes of a system differ by case. True unless HL7's R4 definition of the system says
 * otherwise, and for tokens without a system.
 */
export function isCaseSensitive(system: string | undefined): boolean {
  return system === undefined || !INSENSITIVE.has(system)
}
