import {
  allowedFor,
  extract,
  type Include,
  type ResourceKey,
  type SearchQuery,
  searchParameters,
} from '@scopegate/fhir-model'
import { refersToKey } from './keys.ts'
import { type FoundRow, wholeRows } from './large-bodies.ts'
import { readCurrent } from './lookup.ts'
import { readReferrers } from './read-referrers.ts'
import { isRowPermitted, matchOptions, type Request } from './request.ts'
import { and } from './sql/ast.ts'
import { predicatePrefilter } from './sql/predicate.ts'
import { contentOf, type StoredRow } from './stored-row.ts'

/** Rounds of `:iterate`, beyond which nothing is looked for. */
const MOST_ROUNDS = 8
const AT_ONCE = 500

/**
 * What `_include` and `_revinclude` bring to a page. An included resource must be visible (`r` or
 * `s`), a reverse-included one must be findable (`s`); what is hidden is not passed through either.
 * No resource twice; judged before the cap.
 */
export async function findIncludes(
  request: Request,
  query: SearchQuery,
  matches: readonly StoredRow[],
): Promise<StoredRow[]> {
  const { includes, revincludes } = query
  if (matches.length === 0 || includes.length + revincludes.length === 0) return []
  const collector = new Collector(request, matches)
  let fresh: readonly StoredRow[] = matches
  for (let round = 0; round < MOST_ROUNDS && fresh.length > 0; round++) {
    const applies = (include: Include) => round === 0 || include.iterate
    const forward = await collector.include(fresh, includes.filter(applies))
    const backward = await collector.revinclude(fresh, revincludes.filter(applies))
    fresh = [...forward, ...backward]
    // An include without `:iterate` looks at matches only; one with it looks at everything found.
    if (![...includes, ...revincludes].some((include) => include.iterate)) break
  }
  return collector.found
}

class Collector {
  readonly found: StoredRow[] = []
  readonly #request: Request
  readonly #seen: Set<string>
  #characters = 0

  constructor(request: Request, matches: readonly StoredRow[]) {
    this.#request = request
    this.#seen = new Set(matches.map(({ type, id }) => `${type}/${id}`))
  }

  get #room(): number {
    const { included, pageCharacters } = this.#request.repository.limits
    return this.#characters < pageCharacters ? included - this.found.length : 0
  }

  async include(from: readonly StoredRow[], includes: readonly Include[]): Promise<StoredRow[]> {
    if (includes.length === 0) return []
    const wanted = this.#targetsOf(from, includes)
    const added: StoredRow[] = []
    for (let i = 0; i < wanted.length && this.#room > 0; i += AT_ONCE) {
      const rows = await readCurrent(this.#request.on, wanted.slice(i, i + AT_ONCE))
      rows.sort((a, b) => a.sk - b.sk)
      added.push(...(await this.#addAll(rows, 'visible')))
    }
    return added
  }

  async revinclude(to: readonly StoredRow[], includes: readonly Include[]): Promise<StoredRow[]> {
    const added: StoredRow[] = []
    for (const include of includes) {
      const types =
        include.source === '*' ? [...this.#request.access.allowed.s.keys()] : [include.source]
      for (const type of types) added.push(...(await this.#revincludeOf(to, include, type)))
    }
    return added
  }

  /** What the versions that were judged refer to, whatever has been written since. */
  #targetsOf(from: readonly StoredRow[], includes: readonly Include[]): ResourceKey[] {
    const options = matchOptions(this.#request.repository)
    const wanted = new Map<string, ResourceKey>()
    for (const row of from) {
      const asked = includes.filter(({ source }) => source === row.type || source === '*')
      if (asked.length === 0) continue
      const content = contentOf(row)
      for (const { param, target } of asked) {
        for (const code of referenceParams(row.type, param)) {
          for (const value of extract(row.type, code, content, options)) {
            if (value.kind !== 'reference') continue
            const { type, id } = value
            if (type === undefined || id === undefined || (target ?? type) !== type) continue
            if (!this.#seen.has(`${type}/${id}`)) wanted.set(`${type}/${id}`, { type, id })
          }
        }
      }
    }
    return [...wanted.values()]
  }

  async #revincludeOf(
    to: readonly StoredRow[],
    include: Include,
    type: string,
  ): Promise<StoredRow[]> {
    const { access, repository, on } = this.#request
    const targets = to.filter((row) => include.target === undefined || include.target === row.type)
    const predicate = allowedFor(access, 's', type)
    if (targets.length === 0 || predicate.kind === 'none') return []
    const params = referenceParams(type, include.param)
    if (params.size === 0) return []
    const wanted = new Set(targets.map((row) => `${row.type}/${row.id}`))
    const allowed = predicatePrefilter(type, predicate, access, repository.params, repository.base)
    const keys = targets.map((row) => refersToKey(row.type, row.id))
    const condition = and({ kind: 'types', types: [type] }, allowed.condition)

    const added: StoredRow[] = []
    for (let after = 0; this.#room > 0; ) {
      const rows = await readReferrers(on, keys, condition, after, AT_ONCE)
      const fitting = rows.filter(({ refs }) =>
        refs.some((ref) => {
          const equals = ref.indexOf('=')
          return params.has(ref.slice(0, equals)) && wanted.has(ref.slice(equals + 1))
        }),
      )
      added.push(...(await this.#addAll(fitting, 's')))
      if (rows.length < AT_ONCE) break
      after = rows.at(-1)!.sk
    }
    return added
  }

  async #addAll(found: readonly FoundRow[], letter: 's' | 'visible'): Promise<StoredRow[]> {
    const added: StoredRow[] = []
    for await (const rows of wholeRows(this.#request.on, found)) {
      added.push(...(await this.#add(rows, letter)))
      if (this.#room <= 0) break
    }
    return added
  }

  async #add(rows: readonly StoredRow[], letter: 's' | 'visible'): Promise<StoredRow[]> {
    const permitted = await Promise.all(
      rows.map((row) => isRowPermitted(this.#request, letter, row)),
    )
    const added: StoredRow[] = []
    for (const [i, row] of rows.entries()) {
      const key = `${row.type}/${row.id}`
      if (!permitted[i] || this.#seen.has(key) || this.#room <= 0) continue
      this.#seen.add(key)
      this.found.push(row)
      this.#characters += row.body.length
      added.push(row)
    }
    return added
  }
}

function referenceParams(type: string, param: string): ReadonlySet<string> {
  return new Set(
    searchParameters(type)
      .filter(({ type: kind, code }) => kind === 'reference' && (param === '*' || param === code))
      .map(({ code }) => code),
  )
}
