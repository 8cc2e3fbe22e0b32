import { formatPath, type Problem } from '../problem.ts'
import type { FhirResource } from '../resource.ts'
import { type JsonFault, scanJson } from './scan-json.ts'

export interface ParseOptions {
  /** Nesting of objects and arrays; 100 by default, 1000 at most (readers recurse). */
  readonly maxDepth?: number
}

export type ParsedResource =
  | { readonly ok: true; readonly resource: FhirResource }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const DEFAULT_MAX_DEPTH = 100
const HIGHEST_MAX_DEPTH = 1000

/**
 * Reads the JSON text of one resource. Refuses what another reader could read otherwise: keys that
 * stand twice, text after the end, nesting beyond the limit; and what is no object with a
 * `resourceType`. Never throws. Structure is judged by `validateResource`, not here.
 */
export function parseResource(text: string, options?: ParseOptions): ParsedResource {
  const maxDepth = Math.min(options?.maxDepth ?? DEFAULT_MAX_DEPTH, HIGHEST_MAX_DEPTH)
  const fault = scanJson(text, maxDepth)
  if (fault !== undefined) return { ok: false, problems: [faultProblem(text, fault)] }
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refused('the body is not a JSON object: send one FHIR resource')
  const { resourceType } = value as { resourceType?: unknown }
  if (typeof resourceType !== 'string')
    return refused('`resourceType` is missing or no string: it names the type of the resource')
  return { ok: true, resource: value as FhirResource }
}

function refused(text: string): ParsedResource {
  return { ok: false, problems: [{ code: 'structure', expression: '', text }] }
}

function faultProblem(text: string, { what, offset, path, detail }: JsonFault): Problem {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  const place = `line ${line}, column ${column}`
  const said =
    what === 'duplicate-key'
      ? `the member stands twice in one object at ${place}: readers disagree on which one counts`
      : what === 'depth'
        ? `nested deeper than ${detail} levels at ${place}`
        : `not valid JSON at ${place}: ${detail} is expected there`
  return {
    code: what === 'depth' ? 'too-long' : 'structure',
    expression: formatPath(path),
    text: said,
    line,
    column,
  }
}
