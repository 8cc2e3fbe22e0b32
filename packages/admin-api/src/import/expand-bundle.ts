import { itemSpans, memberSpans } from './json-spans.ts'

export type ExpandedBundle =
  | { readonly ok: true; readonly entries: readonly ExpandedEntry[] }
  | { readonly ok: false; readonly why: string }

/** The exact text of one resource, or why it cannot be taken. */
export type ExpandedEntry =
  | { readonly text: string }
  | { readonly type?: string; readonly why: string }

const TYPES = ['collection', 'transaction', 'batch', 'searchset']

interface Entry {
  readonly fullUrl?: unknown
  readonly resource?: { readonly resourceType?: unknown; readonly id?: unknown }
  readonly request?: { readonly method?: unknown; readonly ifNoneExist?: unknown }
}

/** Cheap: whether a line is worth a closer look as a Bundle. */
export function looksLikeBundle(text: string): boolean {
  return /^\s*\{[^{[]*"resourceType"\s*:\s*"Bundle"/.test(text.slice(0, 4096))
}

/**
 * Takes a Bundle apart. Ids are kept; an entry without one gets the id of its `urn:uuid` or REST
 * fullUrl, and references to such a fullUrl become `Type/id`. Nothing else in the text changes.
 * Conditional references and requests other than storing a resource are refused by entry.
 */
export function expandBundle(text: string): ExpandedBundle {
  let bundle: { readonly type?: unknown; readonly entry?: readonly Entry[] }
  try {
    bundle = JSON.parse(text)
  } catch (error) {
    return { ok: false, why: `not JSON: ${(error as Error).message.replace(/"[^"]*"/g, '…')}` }
  }
  if (typeof bundle.type !== 'string' || !TYPES.includes(bundle.type)) {
    return { ok: false, why: `only Bundles of type ${TYPES.join(', ')} are taken apart` }
  }
  const list = memberSpans(text, { start: 0, end: text.length }).get('entry')
  if (!list || !Array.isArray(bundle.entry)) return { ok: true, entries: [] }

  const targets = new Map<string, string>()
  const ids = bundle.entry.map((entry) => {
    const type = entry.resource?.resourceType
    const id = idOf(entry)
    if (typeof type !== 'string' || id === undefined) return undefined
    if (typeof entry.fullUrl === 'string') targets.set(entry.fullUrl, `${type}/${id}`)
    return id
  })
  const entries = itemSpans(text, list).map((span, index) =>
    expandEntry(text, span, bundle.entry![index]!, ids[index], targets),
  )
  return { ok: true, entries }
}

function expandEntry(
  text: string,
  at: { readonly start: number; readonly end: number },
  entry: Entry,
  id: string | undefined,
  targets: ReadonlyMap<string, string>,
): ExpandedEntry {
  const type = entry.resource?.resourceType
  const refuse = (why: string): ExpandedEntry => ({
    ...(typeof type === 'string' && { type }),
    why,
  })
  const method = entry.request?.method
  if (method !== undefined && method !== 'POST' && method !== 'PUT') {
    return refuse(
      `the entry asks for ${String(method).slice(0, 10)}; an import only stores resources`,
    )
  }
  if (entry.request?.ifNoneExist !== undefined) {
    return refuse('the entry is conditional (ifNoneExist); send it to the FHIR endpoint instead')
  }
  const span = memberSpans(text, at).get('resource')
  if (!span || typeof type !== 'string') return refuse('the entry holds no resource')
  if (id === undefined) {
    return refuse('neither an id nor a fullUrl to take one from; an import keeps ids')
  }
  const own = text.slice(span.start, span.end)
  if (/"reference"\s*:\s*"[A-Za-z]+\?/.test(own)) {
    return refuse('holds a conditional reference (Type?…); resolve it to Type/id before importing')
  }
  return { text: withId(withTargets(own, targets), entry, id) }
}

/** The id a resource has, or the one that its fullUrl gives it. */
function idOf({ resource, fullUrl }: Entry): string | undefined {
  if (typeof resource?.id === 'string') return resource.id
  if (typeof fullUrl !== 'string') return undefined
  const id = /^urn:uuid:([A-Za-z0-9\-.]{1,64})$/.exec(fullUrl)?.[1]
  return id ?? /\/[A-Z][A-Za-z]+\/([A-Za-z0-9\-.]{1,64})$/.exec(fullUrl)?.[1]
}

function withTargets(text: string, targets: ReadonlyMap<string, string>): string {
  return text.replaceAll(/("reference"\s*:\s*)"([^"\\]+)"/g, (whole, before, reference) => {
    const target = reference.startsWith('urn:') ? targets.get(reference) : undefined
    return target === undefined ? whole : `${before}"${target}"`
  })
}

function withId(text: string, { resource }: Entry, id: string): string {
  if (typeof resource?.id === 'string') return text
  return text.replace(/("resourceType"\s*:\s*"[A-Za-z]+")/, `$1,"id":"${id}"`)
}
