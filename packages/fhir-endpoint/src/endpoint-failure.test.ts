import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAccessAudit } from '@scopegate/audit'
import { type FhirBackend, SearchRefused, type StoredVersion } from '@scopegate/fhir-model'
import { StorageError } from '@scopegate/storage'
import { testStorage } from '@scopegate/storage/testing'
import { KeysUnavailable } from '@scopegate/token-verify'
import { endpointUnderTest } from './test-support/endpoint-under-test.ts'
import { LAB, observation } from './test-support/fixture.ts'

const all = { scope: 'system/*.cruds' }
const lab = { scope: `system/Observation.rs${LAB}` }

/** A backend whose every method does the same. */
function backendThat(work: (method: string) => unknown): FhirBackend {
  const methods = [
    'read',
    'readVersion',
    'history',
    'search',
    'create',
    'update',
    'delete',
    'transaction',
  ]
  return Object.fromEntries(
    methods.map((method) => [method, async () => work(method)]),
  ) as unknown as FhirBackend
}
function failing(error: Error): FhirBackend {
  return backendThat(() => {
    throw error
  })
}
function version(type: string, id: string, body: object): StoredVersion {
  const lastUpdated = '2026-01-02T03:04:05.678Z'
  return {
    type,
    id,
    versionId: 1,
    lastUpdated,
    method: 'PUT',
    deleted: false,
    body: JSON.stringify(body),
  }
}

describe('what fails inside', () => {
  test('is 500 with the correlation id and nothing of the error', async () => {
    const t = endpointUnderTest(failing(new TypeError('secret at /srv/x.ts:1')))
    const answer = await t.send('Observation/O1', all)
    assert.equal(answer.status, 500)
    assert.ok(!answer.text.includes('secret'))
    assert.match(answer.json.issue[0].diagnostics, /correlation id req-00000001/)
    assert.match(String(t.errors[0]), /secret/)
    assert.equal(t.traces[0]?.outcome, 'failed')
    assert.equal(t.events[0]?.decision, 'failed')
  })

  test('storage that is away is 503 to be tried again, a full disk 507', async () => {
    const away = endpointUnderTest(failing(new StorageError('unavailable', 'secret host')))
    const answer = await away.send('Observation/O1', all)
    assert.equal(answer.status, 503)
    assert.ok(answer.headers.get('retry-after'))
    assert.ok(!answer.text.includes('secret'))
    const full = endpointUnderTest(
      backendThat((method) => {
        if (method !== 'read') throw Object.assign(new Error('x'), { code: '53100' })
        return { kind: 'done', version: version('Observation', 'O1', observation('O1', 'P1', [])) }
      }),
    )
    const body = observation(undefined, 'P1', [])
    assert.equal((await full.send('Observation', { ...all, method: 'POST', body })).status, 507)
    assert.equal((await full.send('Observation/O1', all)).status, 200)
    const batch = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [
        { resource: body, request: { method: 'POST', url: 'Observation' } },
        { request: { method: 'GET', url: 'Observation/O1' } },
      ],
    }
    const { json } = await full.send('', { ...all, method: 'POST', body: batch })
    assert.deepEqual(
      json.entry.map((entry: { response: { status: string } }) =>
        entry.response.status.slice(0, 3),
      ),
      ['507', '200'],
    )
  })

  test('a search that the backend refuses says why and what to do', async () => {
    const t = endpointUnderTest(
      failing(new SearchRefused('too-costly', 'joins too many', 'narrow it')),
    )
    const answer = await t.send('Observation', all)
    assert.equal(answer.status, 400)
    assert.equal(answer.json.issue[0].code, 'too-costly')
    assert.match(answer.json.issue[0].diagnostics, /narrow it/)
    assert.equal(t.errors.length, 0)
  })

  test('a key set that cannot be had is no fault of the token', async () => {
    const verify = () => Promise.reject(new KeysUnavailable('away'))
    const t = endpointUnderTest(failing(new Error('not reached')), { verifier: { verify } })
    const answer = await t.send('Observation/O1', all)
    assert.equal(answer.status, 503)
    assert.equal(answer.json.issue[0].details.coding[0].code, 'keys_unavailable')
  })
})

describe('a backend that gives too much', () => {
  const o1 = version('Observation', 'O1', observation('O1', 'P1', ['laboratory']))
  const o2 = version('Observation', 'O2', observation('O2', 'P1', ['vital-signs']))
  const p1 = version('Patient', 'P1', { resourceType: 'Patient', id: 'P1' })

  test('other types, and other instances than asked for, never leave', async () => {
    const t = endpointUnderTest(
      backendThat((method) =>
        method === 'search'
          ? { matches: [o1, p1], includes: [p1], total: 2 }
          : { kind: 'done', version: p1 },
      ),
    )
    const answer = await t.send('Observation', lab)
    assert.deepEqual(
      answer.json.entry.map((entry: { resource: { id: string } }) => entry.resource.id),
      ['O1'],
    )
    assert.equal(answer.json.total, undefined)
    assert.equal((await t.send('Observation/O1', lab)).status, 404)
    assert.equal(t.errors.length, 2)
  })

  test('with recheck, neither does what the scopes do not permit', async () => {
    const backend = backendThat((method) =>
      method === 'search'
        ? { matches: [o1, o2], includes: [], total: 2 }
        : { kind: 'done', version: o2 },
    )
    const t = endpointUnderTest(backend, { settings: { recheck: true } })
    const { json } = await t.send('Observation', lab)
    assert.deepEqual(
      json.entry.map((entry: { resource: { id: string } }) => entry.resource.id),
      ['O1'],
    )
    assert.equal((await t.send('Observation/O2', lab)).status, 404)
  })
})

test('an audit that is required and cannot be written fails the request', async (t) => {
  const { pool } = await testStorage(t)
  const audit = createAccessAudit({ pool, mode: 'required' })
  const done = version('Observation', 'O1', observation('O1', 'P1', []))
  const under = endpointUnderTest(
    backendThat(() => ({ kind: 'done', version: done })),
    { audit },
  )
  assert.equal((await under.send('Observation/O1', all)).status, 200)
  const { rows } = await pool.query(`SELECT content FROM audit_access`)
  assert.equal(JSON.parse(rows[0].content).resourceId, 'O1')
  await pool.query('ALTER TABLE audit_access RENAME TO away')
  const answer = await under.send('Observation/O1', all)
  assert.equal(answer.status, 503)
  assert.doesNotMatch(answer.text, /(?<![\w-])P1(?![\w-])/)
  assert.match(answer.json.issue[0].details.text, /could not be recorded/)
  await pool.query('ALTER TABLE away RENAME TO audit_access')
  assert.equal((await under.send('Observation/O1', all)).status, 200)
})
