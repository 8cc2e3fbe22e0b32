import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config.ts'

type Compared = Pick<Config, 'settings' | 'digests'>

/**
 * Names of the settings in which two configurations differ, also where only the file or variable
 * that a setting refers to does. No values: some are nobody's business in a log.
 */
export function changedSettings(before: Compared, after: Compared): readonly string[] {
  const changed = new Set(differing(before.settings, after.settings, ''))
  for (const path of new Set([...before.digests.keys(), ...after.digests.keys()])) {
    if (before.digests.get(path) !== after.digests.get(path)) changed.add(path)
  }
  return [...changed].sort()
}

function differing(before: unknown, after: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isGroup(before) || !isGroup(after)) return [path]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differing(before[key], after[key], path === '' ? key : `${path}.${key}`),
  )
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
