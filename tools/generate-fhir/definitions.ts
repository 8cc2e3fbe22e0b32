import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** HL7's own publications on npm, CC0-1.0. Brought when the generator runs; never dependencies. */
const PACKAGES = ['hl7.fhir.r4.examples@4.0.1', 'hl7.fhir.r4.expansions@4.0.1'] as const

// biome-ignore lint/suspicious/noExplicitAny: HL7's JSON is read as it is; the generator fails on what it does not know.
export type Json = any

/** All resources of the two packages by type, in the order of their URL or id. */
export interface Definitions {
  readonly examples: ReadonlyMap<string, readonly Json[]>
  readonly expansions: ReadonlyMap<string, readonly Json[]>
}

/** Brings the packages into `folder` (with `npm pack`) and reads what the generator needs. */
export function readDefinitions(folder: string): Definitions {
  const [examples, expansions] = PACKAGES.map((name) => {
    const target = join(folder, name)
    mkdirSync(target, { recursive: true })
    if (!readdirSync(target).includes('package')) {
      const packed = bring(name, target)
      const { filename } = JSON.parse(packed)[0] as { filename: string }
      execFileSync('tar', ['-xzf', filename], { cwd: target })
    }
    return readPackage(join(target, 'package'))
  })
  return { examples: examples!, expansions: expansions! }
}

function bring(name: string, target: string): string {
  try {
    return execFileSync(
      'npm',
      ['pack', name, '--json', '--ignore-scripts', '--pack-destination', target],
      { encoding: 'utf8', cwd: target, shell: process.platform === 'win32' },
    )
  } catch (cause) {
    throw new Error(`cannot bring ${name} from the npm registry: is it reachable?`, { cause })
  }
}

const WANTED =
  /^(StructureDefinition|SearchParameter|CompartmentDefinition|CodeSystem|ValueSet)-.*\.json$/

function readPackage(folder: string): Map<string, Json[]> {
  const byType = new Map<string, Json[]>()
  for (const file of readdirSync(folder).sort()) {
    if (!WANTED.test(file)) continue
    const resource: Json = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    const list = byType.get(resource.resourceType) ?? []
    list.push(resource)
    byType.set(resource.resourceType, list)
  }
  for (const list of byType.values())
    list.sort((a, b) => compare(String(a.url ?? a.id), String(b.url ?? b.id)))
  return byType
}

/** By code unit, so that the output never depends on a locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
