import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SearchRefused } from '@scopegate/fhir-model'
import { createFhirRepository } from './index.ts'
import { observation, patient } from './testing/examples.ts'
import {
  accessTo,
  FULL,
  searchFor,
  submitted,
  testRepository,
  walk,
  where,
} from './testing/test-repository.ts'

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

test('pages show every match once while others create, update and delete', async (t) => {
  const { repository, put } = await testRepository(t)
  const ids = times(60, (i) => `o${i}`)
  await put(...ids.map((id) => observation(id, 'p1')))
  const seen: string[] = []
  const query = searchFor('Observation', 'category=laboratory&_count=7')
  for (let after: typeof query.after, round = 0; ; round++) {
    const page = await repository.search(after === undefined ? query : { ...query, after }, FULL)
    seen.push(...page.matches.map(({ id }) => id))
    await put(observation(`later${round}`, 'p1', ['survey']))
    await put(observation(`o${round}`, 'p2'), observation(`o${59 - round}`, 'p2'))
    if (page.next === undefined) break
    after = page.next
  }
  assert.deepEqual(seen, ids)
})

test('a sorted search is in order over all pages, with what has no value last', async (t) => {
  const { repository, put } = await testRepository(t)
  const dates = [
    '2024-03-01',
    '2024-01-01',
    undefined,
    '2024-02-01',
    '2024-01-01',
    undefined,
    '2024',
  ]
  await put(
    ...dates.map((effectiveDateTime, i) =>
      observation(`o${i}`, 'p1', ['laboratory'], {
        status: i % 2 ? 'final' : 'amended',
        ...(effectiveDateTime === undefined ? {} : { effectiveDateTime }),
      }),
    ),
    patient('a', 'Zimmer'),
    patient('b', 'ångström'),
    patient('c', 'Baker'),
  )
  const order = async (type: string, text: string) =>
    (await walk(repository, searchFor(type, `${text}&_count=2`), FULL)).ids.join(' ')
  assert.equal(await order('Observation', '_sort=date'), 'o1 o4 o6 o3 o0 o2 o5')
  assert.equal(await order('Observation', '_sort=-date'), 'o6 o0 o3 o4 o1 o5 o2')
  assert.equal(await order('Observation', '_sort=status,-date'), 'o6 o0 o4 o2 o3 o1 o5')
  assert.equal(await order('Observation', '_sort=-_id'), 'o6 o5 o4 o3 o2 o1 o0')
  assert.equal(await order('Patient', '_sort=family'), 'b c a')
  assert.equal(await order('Patient', '_sort=-family'), 'a c b')
  assert.equal(await order('Patient', '_sort=_lastUpdated'), 'a b c')
})

test('patients by name are in order over all pages, whatever their names and however many share one', async (t) => {
  const { repository, put } = await testRepository(t)
  const families = ['smith', 'Smith', 'Ångström', 'Baker', 'Zimmer']
  const all = times(60, (i) => {
    // Every seventh has no name, every fifth two, and the one that comes first counts.
    const one = { family: families[i % families.length], given: [`g${(i * 7) % 10}`] }
    const more = i % 5 === 0 ? [{ family: families[(i + 2) % families.length] }] : []
    const name = i % 7 === 0 ? [] : i % 11 === 0 ? [{ given: ['only'] }] : [one, ...more]
    return { resourceType: 'Patient', id: `p${i}`, ...(name.length === 0 ? {} : { name }) }
  })
  await put(...all)
  const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  const namesOf = (id: string, of: 'family' | 'given') =>
    (all[Number(id.slice(1))]?.name ?? [])
      .flatMap((name): readonly (string | undefined)[] =>
        of === 'family'
          ? [(name as { family?: string }).family]
          : ((name as { given?: string[] }).given ?? []),
      )
      .flatMap((text) => (text === undefined ? [] : [fold(text)]))
      .sort()
  for (const [text, sign] of [
    ['family,given', 1],
    ['-family,given', -1],
    ['family', 1],
    ['family,-given', 1],
  ] as const) {
    const { ids } = await walk(repository, searchFor('Patient', `_sort=${text}&_count=7`), FULL)
    assert.equal(new Set(ids).size, all.length, text)
    const first = ids.map((id) => namesOf(id, 'family').at(sign === 1 ? 0 : -1))
    const known = first.filter((family) => family !== undefined)
    assert.deepEqual(
      first.slice(0, known.length),
      known.toSorted((a, b) => sign * (a < b ? -1 : a > b ? 1 : 0)),
    )
    if (!text.includes('given')) continue
    const [down, at] = text.includes('-given') ? ([-1, -1] as const) : ([1, 0] as const)
    for (const [i, id] of ids.entries()) {
      if (i === 0 || first[i] !== first[i - 1]) continue
      const [before, given] = [namesOf(ids[i - 1]!, 'given').at(at), namesOf(id, 'given').at(at)]
      if (before === undefined) assert.equal(given, undefined)
      else if (given !== undefined)
        assert.ok(down * (before < given ? -1 : before > given ? 1 : 0) <= 0)
    }
  }
})

test('total, pages and order do not depend on what is hidden', async (t) => {
  const { repository, put } = await testRepository(t)
  const access = accessTo('lab', { Observation: where('Observation', 'category=laboratory') })
  await put(
    ...times(20, (i) =>
      observation(`o${i}`, 'p1', ['laboratory'], { effectiveDateTime: `2024-01-${10 + i}` }),
    ),
  )
  const ask = async () =>
    Promise.all(
      [
        '_count=6',
        '_sort=-date&_count=6',
        '_summary=count',
        'date=ge2024-01-15',
        'category:not=survey&_count=4',
      ].map((text) => walk(repository, searchFor('Observation', text), access)),
    )
  const before = await ask()
  await put(
    ...times(500, (i) =>
      observation(`hidden${i}`, 'p1', ['survey'], { effectiveDateTime: '2024-01-20' }),
    ),
  )
  assert.deepEqual(await ask(), before)
  const created = await repository.create(submitted(observation('x', 'p1')), access, {})
  assert.equal(created.kind, 'done')
})

test('_count=0 and _summary=count give the total alone', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(...times(5, (i) => observation(`o${i}`, 'p1')))
  for (const text of ['_count=0', '_summary=count']) {
    assert.deepEqual(await repository.search(searchFor('Observation', text), FULL), {
      matches: [],
      includes: [],
      total: 5,
    })
  }
})

test('a page of large matches ends early, and the next one goes on', async (t) => {
  const { storage, put } = await testRepository(t)
  const large = { note: [{ text: 'x'.repeat(5_000) }] }
  await put(...times(7, (i) => observation(`o${i}`, 'p1', ['laboratory'], large)))
  const small = createFhirRepository({
    storage,
    now: Date.now,
    newId: () => 'x',
    limits: { pageCharacters: 12_000 },
  })
  const first = await small.search(searchFor('Observation', '_count=5'), FULL)
  assert.deepEqual(
    first.matches.map(({ id }) => id),
    ['o0', 'o1'],
  )
  assert.equal(first.total, 7)
  const walked = await walk(small, searchFor('Observation', '_count=5'), FULL)
  assert.deepEqual(
    walked.ids,
    times(7, (i) => `o${i}`),
  )
  const search = { kind: 'search' as const, query: searchFor('Observation') }
  await assert.rejects(
    small.transaction([search, search, search], FULL),
    (error) => error instanceof SearchRefused && error.reason === 'too-costly',
  )
})
