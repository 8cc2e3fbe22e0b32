import { compare, type Definitions, type Json } from './definitions.ts'

/** One element of a type: `Observation.value[x]` is one element with several types. */
export interface Element {
  /** Without `[x]`. */
  readonly name: string
  readonly choice: boolean
  readonly min: number
  readonly array: boolean
  /** Part of `_summary=true`. */
  readonly summary: boolean
  /** `Quantity`, `code`, or for a backbone its path, `Observation.component`. */
  readonly types: readonly ElementType[]
  /** The value set of a required binding, without version. */
  readonly requiredValueSet?: string
}
export interface ElementType {
  readonly code: string
  /** For Reference and canonical: resource types; empty means any. */
  readonly targets: readonly string[]
}

export interface TypeModel {
  /** Concrete resource types, sorted. */
  readonly resourceTypes: readonly string[]
  readonly primitives: ReadonlySet<string>
  /** Elements in definition order by type or backbone path. */
  readonly elements: ReadonlyMap<string, readonly Element[]>
}

const FHIR_TYPE = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type'
const PROFILE = 'http://hl7.org/fhir/StructureDefinition/'

/** Reads the base StructureDefinitions (profiles and logical models are left out). */
export function readTypeModel({ examples }: Definitions): TypeModel {
  const definitions = (examples.get('StructureDefinition') ?? []).filter(
    (sd: Json) => sd.derivation !== 'constraint' && sd.kind !== 'logical',
  )
  const resourceTypes = definitions
    .filter((sd: Json) => sd.kind === 'resource' && !sd.abstract)
    .map((sd: Json) => sd.type as string)
    .sort(compare)
  const primitives = new Set<string>(
    definitions.filter((sd: Json) => sd.kind === 'primitive-type').map((sd: Json) => sd.type),
  )
  const elements = new Map<string, Element[]>()
  for (const sd of definitions) {
    if (sd.kind === 'primitive-type') continue
    const rows: Json[] = sd.snapshot.element
    elements.set(sd.type, [])
    for (const row of rows) {
      const dot = row.path.lastIndexOf('.')
      if (dot < 0) continue
      const parent: string = row.path.slice(0, dot)
      const name: string = row.path.slice(dot + 1)
      const list = elements.get(parent) ?? []
      elements.set(parent, list)
      if (row.max === '0') continue
      const element = readElement(row, name)
      // R4 gives `Resource.id` as string, and says in words that it is an id.
      const isResourceId = sd.kind === 'resource' && parent === sd.type && name === 'id'
      list.push(isResourceId ? { ...element, types: [{ code: 'id', targets: [] }] } : element)
    }
  }
  return { resourceTypes, primitives, elements }
}

function readElement(row: Json, name: string): Element {
  const choice = name.endsWith('[x]')
  const required =
    row.binding?.strength === 'required' && row.binding.valueSet !== undefined
      ? { requiredValueSet: String(row.binding.valueSet).split('|')[0]! }
      : {}
  return {
    name: choice ? name.slice(0, -3) : name,
    choice,
    min: row.min,
    array: row.max !== '1',
    summary: row.isSummary === true,
    types: row.contentReference
      ? [{ code: String(row.contentReference).slice(1), targets: [] }]
      : row.type.map((type: Json) => readType(type, row.path)),
    ...required,
  }
}

function readType(type: Json, path: string): ElementType {
  const declared = type.extension?.find((e: Json) => e.url === FHIR_TYPE)
  const code: string = declared ? (declared.valueUrl ?? declared.valueUri) : type.code
  const targets: string[] = (type.targetProfile ?? []).map((url: string) =>
    url.slice(PROFILE.length),
  )
  return {
    // A backbone is known by its path: its elements are its own.
    code: code === 'BackboneElement' || code === 'Element' ? path : code,
    targets: targets.includes('Resource') ? [] : targets.sort(compare),
  }
}

/** `value` + `Quantity` = `valueQuantity`. */
export function choiceName(name: string, type: string): string {
  return name + type[0]!.toUpperCase() + type.slice(1)
}
