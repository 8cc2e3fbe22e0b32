/**
 * Turns HL7's R4 definitions into the compact code under packages/fhir-model/src/generated.
 *
 *   node tools/generate-fhir.ts            writes the files
 *   node tools/generate-fhir.ts --check    proves that writing them would change nothing
 *   … --definitions FOLDER                 keeps the downloaded packages in FOLDER
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { caseInsensitiveSystems, readCodeSets } from './generate-fhir/code-sets.ts'
import { generateCompartments } from './generate-fhir/compartments.ts'
import { readDefinitions } from './generate-fhir/definitions.ts'
import { generatedHeader } from './generate-fhir/generated-file.ts'
import { generateSearchParameters } from './generate-fhir/search-parameters.ts'
import { generateStructures } from './generate-fhir/structures.ts'
import { readTypeModel } from './generate-fhir/type-model.ts'

const ROOT = join(import.meta.dirname, '..')
const GENERATED = 'packages/fhir-model/src/generated'

const { values: flags } = parseArgs({
  options: { check: { type: 'boolean' }, definitions: { type: 'string' } },
})

const folder = flags.definitions ?? mkdtempSync(join(tmpdir(), 'scopegate-fhir-'))
try {
  const files = generate(folder)
  if (flags.check) process.exitCode = check(files)
  else for (const [path, text] of files) write(path, text)
} finally {
  if (flags.definitions === undefined) rmSync(folder, { recursive: true, force: true })
}

function generate(definitionsFolder: string): ReadonlyMap<string, string> {
  const definitions = readDefinitions(definitionsFolder)
  const model = readTypeModel(definitions)
  const codeSets = readCodeSets(definitions)
  const { registry, extractors } = generateSearchParameters(
    definitions,
    model,
    codeSets.impliedSystem,
  )
  const compartments = generateCompartments(definitions, model)
  const structures = generateStructures(model, codeSets)
  const types = `${generatedHeader}
export const RESOURCE_TYPE_NAMES: readonly string[] =
  '${model.resourceTypes.join(' ')}'.split(' ')
`
  const systems = `${generatedHeader}
export const CASE_INSENSITIVE_SYSTEMS: readonly string[] = ${JSON.stringify(caseInsensitiveSystems(definitions))}
`
  return new Map([
    [`${GENERATED}/resource-types.ts`, types],
    [`${GENERATED}/code-systems.ts`, systems],
    [`${GENERATED}/search-parameters.ts`, registry],
    [`${GENERATED}/extractors.ts`, extractors],
    [`${GENERATED}/compartments.ts`, compartments.code],
    [`${GENERATED}/structures.ts`, structures],
    ['docs/reference/compartments.md', compartments.page],
  ])
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true })
  writeFileSync(join(ROOT, path), text)
  console.log(`${path}: ${Math.round(text.length / 1024)} KB`)
}

function check(files: ReadonlyMap<string, string>): number {
  let stale = 0
  for (const [path, text] of files) {
    let current = ''
    try {
      current = readFileSync(join(ROOT, path), 'utf8')
    } catch {}
    if (current === text) continue
    stale = 1
    console.error(`${path} is not what the definitions give: run \`node tools/generate-fhir.ts\``)
  }
  return stale
}
