import { editReferences, referencesIn, type Submitted } from '@scopegate/fhir-model'
import type { RequestEntry } from './bundle-entries.ts'

/** What the entries of a transaction will be called once it is carried out. */
export interface Identities {
  /** Ids given to creates, by entry index. */
  readonly ids: ReadonlyMap<number, string>
  /** `fullUrl` → where the entry will be, and whether it is new (its first version is 1). */
  readonly places: ReadonlyMap<string, { readonly place: string; readonly isNew: boolean }>
  /** The same, as a rewriting: `fullUrl` → `Type/id`. */
  readonly rewriting: ReadonlyMap<string, string>
}

/** Chooses the ids of what is created, so that other entries can refer to it. */
export function assignIdentities(
  entries: readonly RequestEntry[],
  newId: () => string,
): Identities {
  const ids = new Map<number, string>()
  const places = new Map<string, { place: string; isNew: boolean }>()
  for (const { index, interaction, fullUrl } of entries) {
    if (interaction.kind !== 'create' && interaction.kind !== 'update') continue
    const isNew = interaction.kind === 'create'
    const id = isNew ? newId() : interaction.id
    if (isNew) ids.set(index, id)
    if (fullUrl !== undefined) places.set(fullUrl, { place: `${interaction.type}/${id}`, isNew })
  }
  const rewriting = new Map<string, string>()
  for (const [fullUrl, { place }] of places) if (fullUrl !== place) rewriting.set(fullUrl, place)
  return { ids, places, rewriting }
}

export type Rewritten =
  | { readonly ok: true; readonly submitted: Submitted }
  /** A conditional reference; `at` is its place. */
  | { readonly ok: false; readonly at: string }

const REST_TAIL = /^(.*\/)?[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/
const VERSIONED = /^(.+)\/_history\/[A-Za-z0-9\-.]{1,64}$/
const CONDITIONAL = /^[A-Z][A-Za-z]+\?/

/**
 * The resource with references to other entries rewritten to what these will be: by their fullUrl,
 * by a relative address that the entry's own fullUrl completes, and with a version. Every other
 * byte stays.
 * @see https://hl7.org/fhir/R4/bundle.html#references
 */
export function rewriteReferences(
  submitted: Submitted,
  entry: Pick<RequestEntry, 'fullUrl'>,
  { places, rewriting }: Identities,
): Rewritten {
  const base = REST_TAIL.exec(entry.fullUrl ?? '')?.[1]
  // Most references are fullUrls as they stand; a copy of the whole map is made for others only.
  const more = new Map<string, string>()
  for (const { path, reference } of referencesIn(submitted.resource)) {
    if (CONDITIONAL.test(reference)) return { ok: false, at: textOf(path) }
    const versioned = VERSIONED.exec(reference)?.[1]
    const bare = versioned ?? reference
    const target = places.get(bare) ?? (base === undefined ? undefined : places.get(base + bare))
    if (target === undefined) continue
    // The version that an update will make is not known before it is made.
    const place =
      versioned !== undefined && target.isNew ? `${target.place}/_history/1` : target.place
    if (place !== reference && rewriting.get(reference) !== place) more.set(reference, place)
  }
  const map = more.size === 0 ? rewriting : new Map([...rewriting, ...more])
  const text = editReferences(submitted.text, submitted.resource, map)
  if (text === submitted.text) return { ok: true, submitted }
  return { ok: true, submitted: { text, resource: JSON.parse(text) } }
}

function textOf(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1)
}
