import { RESOURCE_TYPE_NAMES } from '../generated/resource-types.ts'

/** The concrete resource types of R4, sorted. */
export const RESOURCE_TYPES: readonly string[] = RESOURCE_TYPE_NAMES

/** A Set, so that `constructor` is never found in it. */
export const RESOURCE_TYPE_SET: ReadonlySet<string> = new Set(RESOURCE_TYPE_NAMES)

/** Whether R4 has this (concrete) resource type; case matters. */
export function isResourceType(type: string): boolean {
  return RESOURCE_TYPE_SET.has(type)
}
