import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { compileAccess, DEFAULT_POLICY } from '@scopegate/smart-scopes'
import fc from 'fast-check'
import type { Harness } from './harness.ts'
import {
  grants,
  joinedSearch,
  keyOf,
  type Model,
  modelOf,
  PLAIN_TYPES,
  plainSearch,
  type SearchText,
  type World,
  world,
} from './metamorphic-world.ts'
import { openHarness } from './open-harness.ts'

/** The oracles of enforcement.md 5.13 over HTTP: random data, random scopes, random requests. */
const WORLDS = 4
const REQUESTS = 8
const ALL = 'system/*.rs'

interface Bundle {
  readonly resourceType: string
  readonly total?: number
  readonly link: readonly { readonly relation: string; readonly url: string }[]
  readonly entry?: readonly {
    readonly resource?: { readonly resourceType: string; readonly id: string }
    readonly search?: { readonly mode: string }
  }[]
}
interface Answer {
  readonly status: number
  readonly body: Bundle
}

describe('metamorphic oracles', () => {
  let at: Harness
  const tokens = new Map<string, string>()
  before(async () => {
    at = await openHarness()
  })
  after(() => at.close())

  async function ask(scope: string, path: string, more: RequestInit = {}): Promise<Answer> {
    let token = tokens.get(scope)
    if (token === undefined) {
      token = await at.mint({ scope, patient: 'P1', expiresInSeconds: 3600 })
      tokens.set(scope, token)
    }
    const url = path.startsWith('http') ? path : `${at.baseUrl}/${path}`
    const headers = { authorization: `Bearer ${token}`, ...more.headers }
    const response = await fetch(url, { ...more, headers })
    return { status: response.status, body: (await response.json()) as Bundle }
  }
  const find = (scope: string, { type, query }: SearchText, more = '') =>
    ask(scope, `${type}?${[query, more].filter((part) => part !== '').join('&')}`)

  const matches = ({ body }: Answer): readonly string[] =>
    (body.entry ?? [])
      .filter(({ search }) => search?.mode === 'match')
      .map(({ resource }) => `${resource?.resourceType}/${resource?.id}`)
  const includes = ({ body }: Answer): readonly string[] =>
    (body.entry ?? [])
      .filter(({ search }) => search?.mode === 'include')
      .map(({ resource }) => `${resource?.resourceType}/${resource?.id}`)

  /** Without what differs from one moment to the next. */
  function steady({ status, body }: Answer): string {
    const links = body.link?.map(({ relation, url }) => (relation === 'self' ? url : relation))
    return `${status} ${JSON.stringify({ ...body, link: links })}`
      .replaceAll(/"(lastUpdated|lastModified)":"[^"]*"/g, '"$1":""')
      .replaceAll(/correlation id \w+/g, '')
  }

  function model(data: World, scope: string): Model {
    const { access } = compileAccess(
      { issuer: 'i', subject: 's', clientId: 'c', scope, patient: 'P1' },
      { ...DEFAULT_POLICY, baseUrls: [at.baseUrl] },
    )
    return modelOf(data, access, at.baseUrl)
  }

  /** One random world, and many requests of it at once. */
  function holds<Case>(
    what: string,
    cases: fc.Arbitrary<Case>,
    check: (one: Case, data: World) => Promise<void>,
    { worlds = WORLDS, requests = REQUESTS } = {},
  ): void {
    test(what, () =>
      fc.assert(
        fc.asyncProperty(
          world,
          fc.array(cases, { minLength: requests, maxLength: requests }),
          async (data, all) => {
            await at.reset(data.steps)
            for (const one of all) await check(one, data)
          },
        ),
        { numRuns: worlds, endOnFailure: true },
      ),
    )
  }

  holds(
    'what a token finds is what the matcher leaves of everything, in the same order',
    fc.tuple(grants(1, 3), plainSearch),
    async ([scope, search], data) => {
      const [narrow, whole] = await Promise.all([
        find(scope, search, '_count=100'),
        find(ALL, search, '_count=100'),
      ])
      assert.equal(whole.status, 200, JSON.stringify(whole.body))
      const rules = model(data, scope)
      const expected: string[] = []
      for (const key of matches(whole)) if (await rules.permits('s', key)) expected.push(key)
      if (narrow.status === 403) assert.deepEqual(expected, [], scope)
      else {
        assert.deepEqual(matches(narrow), expected, `${scope} ${search.type}?${search.query}`)
        assert.equal(narrow.body.total, expected.length)
      }
    },
  )

  holds(
    'reads answer by the rule of `r`, and alike for what is hidden and what is not there',
    fc.tuple(grants(1, 3), fc.constantFrom('O1', 'O4', 'E1', 'P2', 'V0', 'B0', 'T1')),
    async ([scope, id], data) => {
      const type = TYPE_OF[id[0]!]!
      const answer = await ask(scope, `${type}/${id}`)
      const permitted = await model(data, scope).permits('r', `${type}/${id}`)
      assert.equal(answer.status === 200, permitted, `${scope} ${type}/${id}: ${answer.status}`)
      if (answer.status !== 404) return
      assert.equal(steady(await ask(scope, `${type}/never-there`)), steady(answer))
    },
  )

  holds(
    'joins reach nothing that is hidden, and their answers contain nothing that is',
    fc.tuple(grants(2, 4), joinedSearch),
    async ([scope, search], data) => {
      const answer = await find(scope, search, '_count=100')
      if (answer.status === 403) return
      const rules = model(data, scope)
      for (const key of matches(answer)) assert.ok(await rules.permits('s', key), key)
      for (const key of includes(answer)) assert.ok(await rules.permits('visible', key), key)
    },
  )

  holds(
    'hidden is absent: without what it cannot see, a token gets the same answers',
    fc.tuple(
      grants(1, 3),
      fc.array(fc.oneof(plainSearch, joinedSearch), { minLength: 20, maxLength: 20 }),
    ),
    async ([scope, searches], data) => {
      const hidden = await model(data, scope).hidden()
      const paths = [
        ...searches.map(({ type, query }) => `${type}?${query}`),
        'Observation?_summary=count',
        'Observation?_count=2&_sort=-date',
        ...['O1', 'O2', 'O3'].flatMap((id) => [`Observation/${id}`, `Observation/${id}/_history`]),
        'Provenance/V0',
        'Binary/B0',
      ]
      const answers = () => Promise.all(paths.map(async (path) => steady(await ask(scope, path))))
      await at.reset(data.steps)
      const before = await answers()
      await at.reset(data.steps.filter((step) => !hidden.has(keyOf(step))))
      const without = await answers()
      for (const [i, path] of paths.entries())
        assert.equal(without[i], before[i], `${scope} ${path}`)
    },
    { worlds: 2, requests: 2 },
  )

  holds(
    'two grants together find what either finds, and reading alone is alike',
    fc.tuple(grants(1, 2), grants(1, 2), plainSearch),
    async ([one, other, search]) => {
      const [a, b, both] = await Promise.all(
        [one, other, `${one} ${other}`].map((scope) => find(scope, search, '_count=100')),
      )
      if (DERIVED.has(search.type)) return
      const union = new Set([...matches(a!), ...matches(b!)])
      assert.deepEqual(new Set(matches(both!)), union, `${one} + ${other}: ${search.query}`)
    },
  )

  holds(
    'another grant takes nothing away',
    fc.tuple(grants(1, 2), grants(1, 2), joinedSearch),
    async ([one, other, search]) => {
      const [less, more] = await Promise.all(
        [one, `${one} ${other}`].map((scope) => find(scope, search, '_count=100')),
      )
      const wide = new Set([...matches(more!), ...includes(more!)])
      for (const key of [...matches(less!), ...includes(less!)])
        assert.ok(wide.has(key), `${key}: ${one} + ${other}: ${search.type}?${search.query}`)
    },
  )

  holds(
    'GET, POST and a batch of one give one answer',
    fc.tuple(grants(1, 3), joinedSearch),
    async ([scope, search]) => {
      const path = `${search.type}?${search.query}`
      const [get, post, batch] = await Promise.all([
        ask(scope, path),
        ask(scope, `${search.type}/_search`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: search.query,
        }),
        ask(scope, '', {
          method: 'POST',
          headers: { 'content-type': 'application/fhir+json' },
          body: JSON.stringify({
            resourceType: 'Bundle',
            type: 'batch',
            entry: [{ request: { method: 'GET', url: path } }],
          }),
        }),
      ])
      assert.equal(steady(post), steady(get))
      assert.equal(batch.status, 200)
      const [entry] = (batch.body.entry ?? []) as unknown as readonly {
        readonly resource?: Bundle
        readonly response: { readonly status: string; readonly outcome?: Bundle }
      }[]
      const body = entry!.resource ?? entry!.response.outcome!
      const status = Number.parseInt(entry!.response.status, 10)
      assert.equal(steady({ status, body }), steady(get))
    },
  )

  holds(
    'pages together are one large page, and the total is the number of matches',
    fc.tuple(grants(1, 3), fc.oneof(plainSearch, joinedSearch), fc.integer({ min: 1, max: 4 })),
    async ([scope, search, size]) => {
      const whole = await find(scope, search, '_count=100')
      if (whole.status === 403) return
      const found: string[] = []
      const included = new Set<string>()
      let page = await find(scope, search, `_count=${size}`)
      for (;;) {
        assert.equal(page.body.total, matches(whole).length)
        found.push(...matches(page))
        for (const key of includes(page)) included.add(key)
        const next = page.body.link.find(({ relation }) => relation === 'next')
        if (next === undefined) break
        assert.equal(matches(page).length, size)
        page = await ask(scope, next.url)
        assert.equal(page.status, 200)
      }
      assert.deepEqual(found, matches(whole))
      for (const key of includes(whole)) assert.ok(included.has(key), key)
      const count = await find(scope, search, '_summary=count')
      assert.equal(count.body.total, found.length)
    },
  )

  holds(
    'a letter changes no answer that does not need it',
    fc.tuple(
      grants(1, 3),
      fc.constantFrom(...PLAIN_TYPES),
      fc.constantFrom('O1', 'E1', 'P2', 'T0'),
    ),
    async ([scope, type, id]) => {
      const only = (letter: string) =>
        scope
          .split(' ')
          .filter((text) => new RegExp(`\\.[rs]*${letter}`).test(text))
          .map((text) => text.replace(/\.[rs]+/, `.${letter}`))
          .join(' ')
      const kind = TYPE_OF[id[0]!]!
      const [search, searchOnly, read, readOnly] = await Promise.all([
        ask(scope, type),
        ask(only('s'), type),
        ask(scope, `${kind}/${id}`),
        ask(only('r'), `${kind}/${id}`),
      ])
      // A refusal may name the scopes that the token has.
      assert.equal(searchOnly.status, search.status)
      if (search.status === 200) assert.equal(steady(searchOnly), steady(search))
      assert.equal(readOnly.status, read.status)
      if (read.status === 200) assert.equal(steady(readOnly), steady(read))
    },
  )
})

const DERIVED: ReadonlySet<string> = new Set(['Provenance', 'Binary'])
const TYPE_OF: Readonly<Record<string, string>> = {
  O: 'Observation',
  E: 'Encounter',
  P: 'Patient',
  V: 'Provenance',
  B: 'Binary',
  T: 'DocumentReference',
}
