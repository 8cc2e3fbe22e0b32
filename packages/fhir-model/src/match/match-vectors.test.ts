import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compileClause, type FhirResource, parseSearch } from '../index.ts'

interface Vectors {
  readonly about: string
  readonly base?: string
  readonly now?: string
  readonly resources: readonly (FhirResource & { readonly id: string })[]
  readonly cases: readonly { search: string; fits: readonly string[]; note?: string }[]
}

const folder = new URL('../../vectors/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.startsWith('match-'))) {
  const vectors: Vectors = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
  for (const { search, fits, note } of vectors.cases) {
    test(`${file}: ${search}${note === undefined ? '' : ` (${note})`}`, () => {
      const [type = '', query = ''] = search.split('?', 2)
      const parsed = parseSearch(type, new URLSearchParams(query), {
        strict: true,
        defaultCount: 50,
        maxCount: 1000,
        nowMs: Date.parse(vectors.now ?? '2024-01-01T00:00:00Z'),
        ...(vectors.base !== undefined && { baseUrl: vectors.base }),
      })
      assert.ok(parsed.ok, JSON.stringify(parsed))
      const tests = parsed.query.filters.map((filter) => {
        assert.equal(filter.kind, 'clause')
        return compileClause(type, filter as Parameters<typeof compileClause>[1], {
          ...(vectors.base !== undefined && { base: vectors.base }),
        })
      })
      assert.ok(tests.length > 0)
      const found = vectors.resources
        .filter((resource) => tests.every((fitsClause) => fitsClause(resource)))
        .map((resource) => resource.id)
      assert.deepEqual(found.sort(), [...fits].sort())
    })
  }
}
