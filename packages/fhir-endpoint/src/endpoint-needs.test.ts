import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Needs } from '@scopegate/oauth-model'
import { BASE } from './test-support/endpoint-under-test.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
const needs = (method: string, path: string) => t.endpoint.needs!({ method, path })
const all = ({ scopes }: Needs) => scopes.map((each) => each.scopes.join(' '))

test('a search needs its type, and less where the search says what kind of data it wants', async () => {
  const found = await needs('GET', '/fhir/r4/Observation?category=laboratory&date=ge2020')
  assert.deepEqual(all(found), [
    'patient/Observation.s?category=laboratory',
    'patient/Observation.s',
    'system/Observation.s?category=laboratory',
    'system/Observation.s',
  ])
  assert.deepEqual(found.audiences, [BASE])
  assert.deepEqual(found.issuers, ['https://idp.example'])
  assert.deepEqual(found.settings, { audiences: 'fhir.r4.audiences', trust: 'fhir.r4.trust' })
  assert.match(found.notes.join('\n'), /userPolicy/)
  assert.ok(found.scopes.every(({ what }) => what !== ''))
})

test('a read offers its granular scopes, a chain adds what it looks into, an include is told', async () => {
  const read = await needs('get', `${BASE}/Observation/O1`)
  assert.ok(
    all(read).some((scope) => /^patient\/Observation\.r\?category=.*laboratory$/.test(scope)),
  )
  assert.ok(all(read).includes('patient/Observation.r'))
  const chain = await needs('GET', 'Observation?subject:Patient.name=x')
  assert.ok(all(chain).includes('system/Observation.s system/Patient.s'))
  const include = await needs('GET', 'Observation?_include=Observation:subject')
  assert.match(include.notes.join('\n'), /_include=Observation:subject.*left out/)
})

test('what no scope helps with says why, what is public says so', async () => {
  assert.equal((await needs('GET', 'metadata')).public, true)
  assert.match((await needs('GET', 'Nonsense')).notes[0] ?? '', /no resource type/)
  assert.match((await needs('PATCH', 'Patient/1')).notes[0] ?? '', /not offered/)
  assert.match((await needs('GET', '../x')).notes[0] ?? '', /refused/)
  assert.match((await needs('POST', '')).notes[0] ?? '', /each entry/)
})

test('law: what is said to be needed is enough, and a letter less is not', async () => {
  const requests = [
    ['GET', 'Observation'],
    ['GET', 'Observation?category=laboratory&subject:Patient.name=Ana'],
    ['GET', 'Observation?subject.name=Ana'],
    ['GET', 'Patient?_has:Observation:patient:code=8867-4'],
    ['GET', 'Patient/P1'],
    ['GET', 'Practitioner/PR1'],
    ['GET', 'Observation/O1/_history'],
    ['POST', 'Observation'],
    ['PUT', 'Observation/O1'],
    ['DELETE', 'Observation/O1'],
  ] as const
  for (const [method, path] of requests) {
    const { scopes } = await needs(method, path)
    assert.ok(scopes.length > 0, path)
    for (const { scopes: set } of scopes) {
      const under = (scope: string) =>
        t.endpoint.explain({ method, path, claims: { scope, patient: 'P1' } })
      const enough = await under(set.join(' '))
      // Whether the instance fits is data, and told as 404.
      assert.ok(
        enough.status < 400 || enough.status === 404 || enough.status === 405,
        `${path}: ${set}`,
      )
      for (const left of set) {
        const rest = set.filter((scope) => scope !== left).join(' ')
        assert.equal((await under(rest)).status, 403, `${path} without ${left}`)
      }
    }
  }
})
