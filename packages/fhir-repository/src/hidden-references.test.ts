import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Access, ALL, type FhirResource, type Predicate } from '@scopegate/fhir-model'
import { accessTo, FULL, searchFor, submitted, testRepository } from './testing/test-repository.ts'

const OF_P1: Predicate = { kind: 'compartment', compartment: 'Patient', id: 'p1', mode: 'guarded' }
const REACHABLE: Predicate = { kind: 'visible-via', rule: 'referrers' }
const app = accessTo('p1', {
  Patient: { kind: 'id', ids: ['p1'] },
  Observation: OF_P1,
  Practitioner: REACHABLE,
  Organization: REACHABLE,
})
const observation = (id: string, ...performers: readonly string[]) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  subject: { reference: 'Patient/p1' },
  performer: performers.map((reference) => ({ reference })),
})
const DATA = [
  { resourceType: 'Patient', id: 'p1' },
  { resourceType: 'Organization', id: 'theirs' },
  { resourceType: 'Practitioner', id: 'known' },
  { resourceType: 'Practitioner', id: 'hidden' },
  observation('o1', 'Practitioner/known'),
]
const create = (resource: FhirResource, id?: string) => ({
  kind: 'create' as const,
  ...(id === undefined ? {} : { id }),
  submitted: submitted(resource),
  options: {},
})

test('a reference to a shared resource makes visible only what its writer can see', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(...DATA)
  const write = (resource: FhirResource, access: Access = app) =>
    repository.create(submitted(resource), access, {})
  const seen = async () =>
    (await repository.search(searchFor('Practitioner'), app)).matches.map(({ id }) => id)

  assert.equal((await write(observation('x', 'Practitioner/known'))).kind, 'done')
  const refusals = []
  for (const target of ['Practitioner/hidden', 'Practitioner/absent', 'Organization/theirs']) {
    const body = observation('o1', 'Practitioner/known', target)
    refusals.push(await write(body))
    const key = { type: 'Observation', id: 'o1' }
    const updated = await repository.update(key, submitted(body), app, { updateCreate: false })
    assert.equal(updated.kind, 'refused', target)
    const together = await repository.transaction([create(body)], app)
    assert.equal(together.kind, 'failed', target)
  }
  assert.deepEqual(
    refusals.map(({ kind }) => kind),
    ['refused', 'refused', 'refused'],
  )
  // What is hidden and what is not there are refused alike.
  assert.deepEqual(refusals[0], refusals[1])
  assert.deepEqual(await seen(), ['known'])
})

test('what stood there may stay, what comes along may be named, and other types are no concern', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(...DATA, observation('old', 'Practitioner/absent'))
  const key = { type: 'Observation', id: 'old' }
  const changed = submitted({ ...observation('old', 'Practitioner/absent'), status: 'amended' })
  assert.equal((await repository.update(key, changed, app, { updateCreate: false })).kind, 'done')

  const performed = { ...observation('x'), hasMember: [{ reference: 'Observation/absent' }] }
  assert.equal((await repository.create(submitted(performed), app, {})).kind, 'done')
  const named = submitted(observation('x', 'Practitioner/hidden'))
  assert.equal((await repository.create(named, FULL, {})).kind, 'done')

  const { allowed } = app
  const c = new Map([...allowed.c, ['Practitioner', ALL] as const])
  const registrar: Access = { fingerprint: 'registrar', allowed: { ...allowed, c } }
  const both = [
    create({ resourceType: 'Practitioner' }, 'fresh'),
    create(observation('x', 'Practitioner/fresh')),
  ]
  assert.equal((await repository.transaction(both, registrar)).kind, 'done')
})
