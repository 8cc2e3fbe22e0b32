import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Answer, BASE, type SendOptions } from './test-support/endpoint-under-test.ts'
import { LAB, observation } from './test-support/fixture.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
const all: SendOptions = { scope: 'system/*.cruds' }
const tau1: SendOptions = {
  scope: `patient/Patient.rs patient/Observation.rs${LAB}`,
  patient: 'P1',
}
const tauX: SendOptions = { scope: `patient/Observation.cruds${LAB}`, patient: 'P1' }

const get = (url: string) => ({ request: { method: 'GET', url } })
const post = (resource: object, fullUrl?: string) => ({
  ...(fullUrl === undefined ? {} : { fullUrl }),
  resource,
  request: { method: 'POST', url: (resource as { resourceType: string }).resourceType },
})
const send = (type: string, entry: readonly object[], options: SendOptions) =>
  t.send('', { ...options, method: 'POST', body: { resourceType: 'Bundle', type, entry } })
const statuses = (answer: Awaited<ReturnType<typeof send>>) =>
  answer.json.entry.map((entry: { response: { status: string } }) =>
    Number(entry.response.status.slice(0, 3)),
  )

describe('batch', () => {
  test('answers entry by entry, in order, each as a request of its own', async () => {
    const answer = await send(
      'batch',
      [
        get('Observation'),
        get('Condition'),
        get('Patient/P1'),
        get('Observation/O2'),
        post(observation(undefined, 'P1', ['laboratory'])),
      ],
      tau1,
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.json.type, 'batch-response')
    assert.deepEqual(statuses(answer), [200, 403, 200, 404, 403])
    assert.equal(answer.json.entry[0].resource.total, 3)
    assert.equal(answer.json.entry[2].resource.id, 'P1')
    assert.equal(answer.json.entry[2].response.etag, 'W/"1"')
    assert.equal(
      answer.json.entry[1].response.outcome.issue[0].details.coding[0].code,
      'type_not_granted',
    )
    const direct = await t.send('Observation/O2', tau1)
    assert.deepEqual(answer.json.entry[3].response.outcome, direct.json)
    assert.equal(answer.json.entry[3].resource, undefined)
  })

  test('an address with more than one meaning is refused', async () => {
    const urls = [
      'https://evil.example/Observation',
      `${BASE}/Observation`,
      'Observation/../Patient/P1',
      'Observation/%2e%2e/Patient/P1',
      'Observation/%2E%2E/Patient/P1',
      'Observation%2FO1',
      '//host/Observation',
      '/Observation',
      './Observation',
      'Observation/',
      'Observation//O1',
      'Observation\\O1',
      'Observation#x',
      'Observation?status=%zz',
      'metadata',
      '',
    ]
    const answer = await send('batch', urls.map(get), tau1)
    assert.deepEqual(
      statuses(answer),
      urls.map((url) => (url === '' ? 405 : 400)),
    )
  })

  test('a Bundle in a Bundle and a batch in a batch are refused', async () => {
    const nested = { resourceType: 'Bundle', type: 'batch', entry: [get('Observation')] }
    const answer = await send(
      'batch',
      [
        post(nested),
        { resource: nested, request: { method: 'POST', url: '' } },
        { request: { method: 'POST', url: 'Observation/_search' } },
        {},
        { request: { method: 'POST', url: 'Observation' } },
      ],
      all,
    )
    assert.deepEqual(statuses(answer), [400, 400, 400, 400, 400])
  })

  test('writes carry their preconditions in the entry', async () => {
    const resource = observation('O3', 'P1', ['laboratory'])
    const answer = await send(
      'batch',
      [
        { resource, request: { method: 'PUT', url: 'Observation/O3', ifMatch: 'W/"9"' } },
        { resource, request: { method: 'PUT', url: 'Observation/O3', ifMatch: 'W/"1"' } },
        { request: { method: 'GET', url: 'Observation/O3', ifNoneMatch: 'W/"2"' } },
        {
          resource: observation('O2', 'P1', ['laboratory']),
          request: { method: 'PUT', url: 'Observation/O2', ifMatch: 'W/"1"' },
        },
        {
          ...post(observation(undefined, 'P1', ['laboratory'])),
          request: { method: 'POST', url: 'Observation', ifNoneExist: 'identifier=x' },
        },
        { request: { method: 'DELETE', url: 'Observation?identifier=x' } },
      ],
      tauX,
    )
    assert.deepEqual(statuses(answer), [412, 200, 304, 405, 400, 405])
    assert.equal(answer.json.entry[1].resource, undefined)
  })

  test('what no longer fits into the response is not carried out', async () => {
    const narrow = await seededEndpoint(undefined, { settings: { maxBundleBytes: 4_000 } })
    const entry = [get('Observation'), get('Observation'), get('Observation'), get('Patient/P1')]
    const body = { resourceType: 'Bundle', type: 'batch', entry }
    const answer = await narrow.send('', { ...all, method: 'POST', body })
    const got = statuses(answer)
    assert.equal(got[0], 200)
    assert.equal(got[3], 413)
    assert.equal(answer.json.entry[3].response.outcome.issue[0].code, 'too-costly')
  })

  test('what no longer fits into the time of a batch is not carried out', async () => {
    const { repository, storage, ...hasty } = await seededEndpoint(undefined, {
      settings: { maxBatchMs: 50 },
    })
    const created = post(observation(undefined, 'P1', ['laboratory']))
    const entry = [get('Observation/O1'), get('Observation'), created, created]
    const body = { resourceType: 'Bundle', type: 'batch', entry }
    let answer: Answer | undefined
    await storage.transaction(async (client) => {
      // Its third entry waits for us, and what comes after it is too late.
      await client.query('lock table ix_date in exclusive mode')
      const sent = hasty.send('', { ...all, method: 'POST', body })
      await new Promise((resolve) => setTimeout(resolve, 300))
      await client.query('rollback')
      answer = await sent
      await client.query('begin')
    })
    const before = (await repository.countByType()).get('Observation')!
    const got = statuses(answer!)
    assert.equal(got[0], 200)
    assert.equal(got[3], 503)
    assert.equal(answer!.json.entry[3].response.outcome.issue[0].code, 'too-costly')
    const again = await hasty.send('', {
      ...all,
      method: 'POST',
      body: { ...body, entry: [created] },
    })
    assert.deepEqual(statuses(again), [201])
    assert.equal((await repository.countByType()).get('Observation'), before + 1)
  })

  test('Prefer of the request counts for its entries', async () => {
    const entry = [post(observation(undefined, 'P1', ['laboratory']))]
    const answer = await send('batch', entry, {
      ...tauX,
      headers: { Prefer: 'return=representation' },
    })
    assert.equal(answer.json.entry[0].resource.resourceType, 'Observation')
  })

  test('the body is judged: type, kind, size', async () => {
    assert.equal((await send('history', [], all)).status, 400)
    for (const entry of [null, 7, {}]) {
      const body = { resourceType: 'Bundle', type: 'batch', entry }
      const answer = await t.send('', { ...all, method: 'POST', body })
      assert.equal(answer.status, 400)
      assert.deepEqual(answer.json.issue[0].expression, ['Bundle.entry'])
    }
    assert.equal(
      (await t.send('', { ...all, method: 'POST', body: observation(undefined, 'P1', []) })).status,
      400,
    )
    assert.equal(
      (
        await t.send('', {
          ...all,
          method: 'POST',
          body: '{"resourceType":"Bundle","type":"batch","type":"transaction"}',
        })
      ).status,
      400,
    )
    const empty = await send('batch', [], all)
    assert.deepEqual(empty.json, { resourceType: 'Bundle', type: 'batch-response' })
    assert.equal(
      (
        await send(
          'batch',
          Array.from({ length: 10_001 }, () => get('Patient/P1')),
          all,
        )
      ).status,
      413,
    )
  })
})

test('a batch of one is the request itself', async () => {
  const paths = [
    'Observation',
    'Observation?category=vital-signs&_count=2',
    'Observation?_summary=count',
    'Observation?subject:Encounter.x=y',
    'Observation/O1',
    'Observation/O1?_elements=status',
    'Observation/O2',
    'Observation/O1/_history',
    'Observation/O1/_history/1',
    'Patient/P2',
    'Encounter',
    'Nonsense/1',
    'Observation?_contained=true',
  ]
  for (const path of paths) {
    const direct = await t.send(path, tau1)
    const { json } = await send('batch', [get(path)], tau1)
    const [entry] = json.entry
    assert.equal(Number(entry.response.status.slice(0, 3)), direct.status, path)
    const { expression: _, ...issue } = entry.response.outcome?.issue[0] ?? {}
    if (direct.status === 200) assert.deepEqual(entry.resource, direct.json, path)
    else assert.deepEqual(issue, direct.json.issue[0], path)
    assert.equal(entry.response.etag, direct.headers.get('etag') ?? undefined, path)
  }
})

test('every entry is audited', async () => {
  t.events.length = 0
  await send('batch', [get('Patient/P1'), get('Observation/O2')], tau1)
  assert.deepEqual(
    t.events.map(({ interaction, entry, status }) => [interaction, entry, status]),
    [
      ['batch', undefined, 200],
      ['read', 0, 200],
      ['read', 1, 404],
    ],
  )
})
