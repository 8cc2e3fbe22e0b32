import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BASE, type SendOptions } from './test-support/endpoint-under-test.ts'
import { LAB, observation } from './test-support/fixture.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
const all: SendOptions = { scope: 'system/*.cruds' }
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
const total = async (type: string) => (await t.send(`${type}?_summary=count`, all)).json.total

describe('transaction', () => {
  test('of thousands of entries that refer to each other takes seconds', async () => {
    const uuid = (n: number) => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
    const entries = [
      post({ resourceType: 'Patient' }, uuid(0)),
      ...Array.from({ length: 2999 }, (_, n) =>
        post(
          observation(undefined, undefined, [], {
            subject: { reference: uuid(0) },
            ...(n === 0 ? {} : { hasMember: [{ reference: uuid(n) }] }),
          }),
          uuid(n + 1),
        ),
      ),
    ]
    const startedAt = performance.now()
    const answer = await send('transaction', entries, all)
    const seconds = (performance.now() - startedAt) / 1000
    assert.equal(answer.status, 200, answer.text.slice(0, 500))
    assert.equal(answer.json.entry.length, 3000)
    assert.ok(seconds < 30, `${seconds} s`)
    const last = await t.send(answer.json.entry[2999].response.location, all)
    assert.equal(
      last.json.hasMember[0].reference,
      answer.json.entry[2998].response.location.replace(`${BASE}/`, '').replace('/_history/1', ''),
    )
  })

  test('is carried out as a whole, with references among its entries resolved', async () => {
    const answer = await send(
      'transaction',
      [
        post(
          {
            resourceType: 'Observation',
            status: 'final',
            code: { text: 'x' },
            subject: { reference: 'urn:uuid:11111111-1111-4111-8111-111111111111' },
            hasMember: [{ reference: 'urn:uuid:33333333-3333-4333-8333-333333333333/_history/1' }],
            encounter: { reference: 'Encounter/a' },
          },
          'http://old.example/fhir/Observation/z',
        ),
        post(
          { resourceType: 'Patient', name: [{ family: 'New' }] },
          'urn:uuid:11111111-1111-4111-8111-111111111111',
        ),
        post(
          { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } },
          'http://old.example/fhir/Encounter/a',
        ),
        post(
          observation(undefined, undefined, [], {
            focus: [{ reference: 'http://old.example/fhir/Observation/z' }],
          }),
          'urn:uuid:33333333-3333-4333-8333-333333333333',
        ),
        get('Patient?family=New'),
      ],
      all,
    )
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.json.type, 'transaction-response')
    assert.deepEqual(statuses(answer), [201, 201, 201, 201, 200])
    const places = answer.json.entry
      .slice(0, 4)
      .map((entry: { response: { location: string } }) =>
        entry.response.location.replace(`${BASE}/`, '').replace('/_history/1', ''),
      )
    const stored = await t.send(places[0], all)
    assert.equal(stored.json.subject.reference, places[1])
    assert.equal(stored.json.encounter.reference, places[2])
    assert.equal(stored.json.hasMember[0].reference, `${places[3]}/_history/1`)
    const other = await t.send(places[3], all)
    assert.equal(other.json.focus[0].reference, places[0])
    assert.equal(answer.json.entry[4].resource.total, 1)
  })

  test('one refused entry refuses all, names itself, and nothing is stored', async () => {
    const before = await total('Observation')
    const answer = await send(
      'transaction',
      [
        post(observation(undefined, 'P1', ['laboratory'])),
        post(observation(undefined, 'P1', ['vital-signs'])),
      ],
      tauX,
    )
    assert.equal(answer.status, 403)
    assert.deepEqual(answer.json.issue[0].expression, ['Bundle.entry[1]'])
    assert.match(answer.headers.get('www-authenticate') ?? '', /insufficient_scope/)
    const letter = await send(
      'transaction',
      [post(observation(undefined, 'P1', ['laboratory'])), post({ resourceType: 'Patient' })],
      tauX,
    )
    assert.equal(letter.status, 403)
    const hidden = await send(
      'transaction',
      [
        post(observation(undefined, 'P1', ['laboratory'])),
        {
          resource: observation('O2', 'P1', ['laboratory']),
          request: { method: 'PUT', url: 'Observation/O2', ifMatch: 'W/"1"' },
        },
      ],
      tauX,
    )
    assert.equal(hidden.status, 405)
    const patient = { scope: 'patient/Patient.c patient/Observation.c', patient: 'P1' }
    const sly = await send(
      'transaction',
      [
        post({ resourceType: 'Patient' }, 'urn:uuid:11111111-1111-4111-8111-111111111111'),
        post(
          observation(undefined, undefined, [], {
            subject: { reference: 'urn:uuid:11111111-1111-4111-8111-111111111111' },
          }),
        ),
      ],
      patient,
    )
    assert.equal(sly.status, 403)
    assert.equal(await total('Observation'), before)
  })

  test('what is malformed is refused before anything happens', async () => {
    const good = post(observation(undefined, 'P1', ['laboratory']))
    const resource = observation('O1', 'P1', ['laboratory'])
    const putO1 = { resource, request: { method: 'PUT', url: 'Observation/O1' } }
    const before = await total('Observation')
    const cases: [readonly object[], number, string][] = [
      [[good, get('//x')], 400, 'Bundle.entry[1].request.url'],
      [[good, {}], 400, 'Bundle.entry[1].request'],
      [[putO1, putO1], 400, 'Bundle.entry[1]'],
      [[putO1, { request: { method: 'DELETE', url: 'Observation/O1' } }], 400, 'Bundle.entry[1]'],
      [
        [post({ resourceType: 'Observation', code: { text: 'x' } })],
        422,
        'Bundle.entry[0].resource.status',
      ],
      [
        [good, { request: { method: 'DELETE', url: 'Observation?code=x' } }],
        400,
        'Bundle.entry[1].request',
      ],
      [
        [
          post(
            observation(undefined, undefined, [], {
              subject: { reference: 'Patient?identifier=x' },
            }),
          ),
        ],
        400,
        'Bundle.entry[0].resource.subject.reference',
      ],
    ]
    for (const [entry, status, expression] of cases) {
      const answer = await send('transaction', entry, all)
      assert.equal(answer.status, status, answer.text)
      assert.deepEqual(answer.json.issue[0].expression, [expression], answer.text)
    }
    assert.equal(await total('Observation'), before)
  })
})
