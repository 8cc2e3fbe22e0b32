import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { FhirResource } from '@scopegate/fhir-model'
import { type Answer, callerOf, EVERYTHING, type FhirCaller, idsOf } from './fhir-caller.ts'
import { FIXTURE, type ObservationWords, observation } from './fixture.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

// http.html: #transaction, #trules. Items 42 to 48.
const harness = await openHarness()

const LAB: ObservationWords = { patient: 'P1', categories: ['laboratory'] }
const PATIENT = { resourceType: 'Patient' }

interface Entry {
  readonly fullUrl?: string
  readonly resource?: object
  readonly request?: Readonly<Record<string, string>>
}

describe('batch and transaction', () => {
  let all: FhirCaller
  /** Does everything to the laboratory results of P1. */
  let lab: FhirCaller

  before(async () => {
    all = await callerOf(harness, EVERYTHING)
    lab = await callerOf(harness, {
      scope: expand('patient/Observation.cruds{LAB}'),
      patient: 'P1',
    })
  })
  beforeEach(() => harness.reset(FIXTURE))
  after(() => harness.close())

  const send = (
    type: string,
    entry: readonly Entry[],
    { as = all, prefer }: { as?: FhirCaller; prefer?: string } = {},
  ): Promise<Answer> =>
    as(`POST ${harness.baseUrl}`, {
      body: { resourceType: 'Bundle', type, entry },
      ...(prefer === undefined ? {} : { headers: { prefer } }),
    })
  const count = async (type: string): Promise<number> =>
    (await all(`GET ${type}?_summary=count`)).json.total

  test('42 the entries of a batch stand for themselves, and are answered in their order', async () => {
    const answer = await send('batch', [
      get('Patient/P1'),
      post({ ...PATIENT, birthDate: 'soon' }),
      get('Patient/nobody'),
      post(PATIENT),
      { request: { method: 'GET', url: 'Observation?_id=O1,O3' } },
      del('Observation/O4'),
      {
        request: { method: 'PUT', url: 'Observation/O1' },
        resource: observation({ ...LAB, id: 'O8' }),
      },
      get('Nonsense/1'),
      {},
      put(observation({ ...LAB, id: 'O1', status: 'amended' })),
    ])
    assert.equal(answer.status, 200)
    assert.equal(answer.json.type, 'batch-response')
    const statuses = statusesOf(answer)
    assert.deepEqual(statuses, [200, 422, 404, 201, 200, 204, 400, 404, 400, 200])
    const { entry } = answer.json
    assert.equal(entry[0].resource.id, 'P1')
    assert.equal(entry[4].resource.type, 'searchset')
    assert.equal(entry[4].resource.total, 2)
    for (const index of [1, 2, 6, 7, 8])
      assert.equal(entry[index].response.outcome.resourceType, 'OperationOutcome', String(index))
    assert.equal((await all('GET Observation/O4')).status, 410)
    assert.equal((await all('GET Observation/O1')).json.status, 'amended')
  })

  test('42 references between the entries of a batch are not resolved', async () => {
    const answer = await send('batch', [
      { ...post(PATIENT), fullUrl: URN_A },
      post({ ...observation(LAB), subject: { reference: URN_A } }),
    ])
    const statuses = statusesOf(answer)
    assert.equal(statuses[0], 201)
    if (statuses[1] === 201) {
      const stored = await all(`GET ${answer.json.entry[1].response.location}`)
      assert.equal(stored.json.subject.reference, URN_A)
    } else assert.ok(statuses[1]! >= 400 && statuses[1]! < 500)
  })

  test('43 a transaction is all or nothing, and its refusal names the entry', async () => {
    const before = [await count('Patient'), await count('Observation')]
    const failing: readonly (readonly [status: number, entry: Entry])[] = [
      [422, post({ ...PATIENT, birthDate: 'soon' })],
      [400, post({ resourceType: 'Nonsense' })],
      [404, get('Observation/nope')],
      [412, put(observation({ ...LAB, id: 'O3' }), { ifMatch: 'W/"9"' })],
      [400, put(observation({ ...LAB, id: 'O3' }), { ifMatch: 'nine' })],
    ]
    for (const [status, entry] of failing) {
      const answer = await send('transaction', [
        del('Observation/O8'),
        post(PATIENT),
        put(observation({ ...LAB, id: 'O1', status: 'amended' })),
        entry,
      ])
      assert.ok(
        answer.status === status || (status === 400 && answer.status === 404),
        `${status} ${answer.status} ${answer.text}`,
      )
      assert.equal(answer.json.resourceType, 'OperationOutcome')
      assert.match(answer.json.issue[0].expression[0], /^Bundle\.entry\[3\]/)
    }
    assert.deepEqual([await count('Patient'), await count('Observation')], before)
    assert.equal((await all('GET Observation/O1')).json.meta.versionId, '1')
    assert.equal((await all('GET Observation/O8')).status, 200)
  })

  test('43 a transaction deletes, creates, updates and reads in that order', async () => {
    const answer = await send('transaction', [
      { request: { method: 'GET', url: 'Observation?status=amended&_summary=count' } },
      get('Observation/O1'),
      put(observation({ ...LAB, id: 'O1', status: 'amended' })),
      post(observation({ ...LAB, status: 'amended' })),
      del('Observation/O3'),
      { request: { method: 'GET', url: 'Observation?_id=O3' } },
    ])
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(statusesOf(answer), [200, 200, 200, 201, 204, 200])
    const { entry } = answer.json
    assert.equal(entry[0].resource.total, 2)
    assert.equal(entry[1].resource.status, 'amended')
    assert.equal(entry[5].resource.total, 0)
  })

  test('44 references to other entries are rewritten everywhere, cyclic ones too', async () => {
    const answer = await send('transaction', [
      {
        ...post({
          ...PATIENT,
          contained: [{ resourceType: 'Organization', id: 'o', partOf: { reference: URN_B } }],
          managingOrganization: { reference: '#o' },
          text: {
            status: 'generated',
            div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${URN_B}">clinic</a><img src="${URN_C}" alt="${URN_B}"/></div>`,
          },
          extension: [{ url: 'http://example.org/x', valueReference: { reference: URN_C } }],
          generalPractitioner: [{ reference: URN_B }, { reference: `${URN_B}/_history/1` }],
        }),
        fullUrl: URN_A,
      },
      {
        ...post({
          resourceType: 'Organization',
          name: URN_A,
          extension: [{ url: 'http://example.org/x', valueReference: { reference: URN_A } }],
        }),
        fullUrl: URN_B,
      },
      {
        ...post({
          ...observation(LAB),
          subject: { reference: 'Patient/temp' },
          focus: [{ reference: URN_A }],
        }),
        fullUrl: URN_C,
      },
      {
        ...post({ ...PATIENT, link: [{ other: { reference: 'Patient/other' }, type: 'seealso' }] }),
        fullUrl: 'http://old.example/fhir/Patient/temp',
      },
      { ...post(PATIENT), fullUrl: 'http://old.example/fhir/Patient/other' },
    ])
    assert.equal(answer.status, 200, answer.text)
    const places = answer.json.entry.map(({ response }: { response: { location: string } }) =>
      response.location.replace(`${harness.baseUrl}/`, '').replace(/\/_history\/1$/, ''),
    ) as string[]
    const [patient, organization, seen, temp, other] = places
    const stored = (await all(`GET ${patient}`)).json
    assert.equal(stored.contained[0].partOf.reference, organization)
    assert.equal(stored.managingOrganization.reference, '#o')
    assert.ok(stored.text.div.includes(`href="${organization}"`), stored.text.div)
    assert.ok(stored.text.div.includes(`src="${seen}"`))
    assert.equal(stored.extension[0].valueReference.reference, seen)
    assert.deepEqual(
      stored.generalPractitioner.map(({ reference }: { reference: string }) => reference),
      [organization, `${organization}/_history/1`],
    )
    const storedOrganization = (await all(`GET ${organization}`)).json
    assert.equal(storedOrganization.extension[0].valueReference.reference, patient)
    // A text that looks like the address is none.
    assert.equal(storedOrganization.name, URN_A)
    assert.equal((await all(`GET ${seen}`)).json.focus[0].reference, patient)
    assert.equal((await all(`GET ${temp}`)).json.link[0].other.reference, other)
    assert.deepEqual(idsOf(await all(`GET Observation?focus=${patient}`)), [seen])
  })

  test('44 urn:oid and relative full URLs are rewritten too', async () => {
    const oid = 'urn:oid:1.2.3.4'
    const answer = await send('transaction', [
      { ...post(PATIENT), fullUrl: oid },
      post({ ...observation(LAB), subject: { reference: oid } }),
      put(observation({ ...LAB, id: 'chosen' })),
      post({ ...observation(LAB), hasMember: [{ reference: 'Observation/chosen' }] }),
    ])
    assert.equal(answer.status, 200, answer.text)
    const location = answer.json.entry[1].response.location
    assert.match((await all(`GET ${location}`)).json.subject.reference, /^Patient\/[\w.-]+$/)
    const member = (await all(`GET ${answer.json.entry[3].response.location}`)).json.hasMember
    assert.deepEqual(member, [{ reference: 'Observation/chosen' }])
  })

  test('45 a conditional reference is refused, and nothing is stored', async () => {
    const before = await count('Observation')
    const answer = await send('transaction', [
      post(observation(LAB)),
      post({ ...observation(LAB), subject: { reference: 'Patient?identifier=abc' } }),
    ])
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.json.issue[0].code, 'not-supported')
    assert.match(answer.json.issue[0].expression[0], /^Bundle\.entry\[1\]/)
    assert.equal(await count('Observation'), before)
  })

  test('46 an instance or fullUrl that is named twice is 400', async () => {
    const twice: readonly (readonly Entry[])[] = [
      [put(observation({ ...LAB, id: 'O1' })), put(observation({ ...LAB, id: 'O1' }))],
      [put(observation({ ...LAB, id: 'O1' })), del('Observation/O1')],
      [del('Observation/O1'), del('Observation/O1')],
      [
        { ...post(PATIENT), fullUrl: URN_A },
        { ...post(PATIENT), fullUrl: URN_A },
      ],
    ]
    const before = await count('Patient')
    for (const entries of twice) {
      const answer = await send('transaction', entries)
      assert.equal(answer.status, 400, answer.text)
      assert.match(answer.json.issue[0].expression[0], /^Bundle\.entry\[1\]/)
    }
    assert.equal(await count('Patient'), before)
    assert.equal((await all('GET Observation/O1')).json.meta.versionId, '1')
  })

  test('46 ifMatch is honoured per entry; ifNoneExist and conditional addresses are refused', async () => {
    const amended = observation({ ...LAB, id: 'O1', status: 'amended' })
    const batch = await send('batch', [
      put(amended, { ifMatch: 'W/"7"' }),
      put(amended, { ifMatch: 'W/"1"' }),
      get('Observation/O3', { ifNoneMatch: 'W/"1"' }),
      post(observation(LAB), { ifNoneExist: 'identifier=abc' }),
      { request: { method: 'PUT', url: 'Observation?identifier=abc' }, resource: amended },
      { request: { method: 'DELETE', url: 'Observation?identifier=abc' } },
    ])
    const statuses = statusesOf(batch)
    assert.deepEqual(statuses.slice(0, 4), [412, 200, 304, 400])
    assert.ok(
      [400, 405].includes(statuses[4]!) && [400, 405].includes(statuses[5]!),
      String(statuses),
    )
    const before = await count('Observation')
    for (const entry of [
      post(observation(LAB), { ifNoneExist: 'identifier=abc' }),
      { request: { method: 'PUT', url: 'Observation?identifier=abc' }, resource: amended },
      { request: { method: 'DELETE', url: 'Observation?identifier=abc' } },
    ])
      assert.equal((await send('transaction', [post(observation(LAB)), entry])).status, 400)
    assert.equal(await count('Observation'), before)
  })

  test('47 every entry is answered with location, etag and lastModified', async () => {
    for (const type of ['batch', 'transaction']) {
      const answer = await send(type, [
        post(PATIENT),
        put(observation({ ...LAB, id: 'O1', date: `2021-01-0${type.length % 9}` })),
      ])
      const [created, updated] = answer.json.entry
      assert.match(created.response.location, /Patient\/[\w.-]+\/_history\/1$/)
      assert.equal(created.response.etag, 'W/"1"')
      assert.ok(!Number.isNaN(Date.parse(created.response.lastModified)))
      assert.match(updated.response.etag, /^W\/"\d"$/)
      assert.equal(created.resource, undefined)
    }
    for (const type of ['batch', 'transaction']) {
      const answer = await send(type, [post(PATIENT)], { prefer: 'return=representation' })
      assert.equal(answer.json.entry[0].resource.resourceType, 'Patient')
    }
  })

  test('47 another kind of Bundle, another resource, and Bundles inside are refused', async () => {
    for (const type of [
      'collection',
      'document',
      'message',
      'searchset',
      'history',
      'batch-response',
      'nonsense',
    ])
      assert.equal((await send(type, [post(PATIENT)])).status, 400, type)
    assert.equal((await all(`POST ${harness.baseUrl}`, { body: PATIENT })).status, 400)
    const nested = {
      resource: { resourceType: 'Bundle', type: 'batch' },
      request: { method: 'POST', url: 'Bundle' },
    }
    const outward: Entry = {
      resource: { resourceType: 'Bundle', type: 'batch' },
      request: { method: 'POST', url: '/' },
    }
    for (const entry of [nested, outward]) {
      assert.deepEqual(statusesOf(await send('batch', [entry])), [400])
      assert.equal((await send('transaction', [entry])).status, 400)
    }
  })

  test('47 five thousand entries are carried out within a minute', {
    timeout: 90_000,
  }, async () => {
    const before = await count('Observation')
    const entries = Array.from({ length: 5000 }, (_, index) =>
      post(observation({ ...LAB, identifiers: [`many-${index}`] })),
    )
    const startMs = performance.now()
    const answer = await send('transaction', entries)
    assert.equal(answer.status, 200, answer.text.slice(0, 500))
    assert.ok(performance.now() - startMs < 60_000)
    assert.equal(answer.json.entry.length, 5000)
    assert.equal(await count('Observation'), before + 5000)
    assert.equal(idsOf(await all('GET Observation?identifier=many-4999')).length, 1)
  })

  test('48 (S) each entry of a batch needs its own scope', async () => {
    const answer = await send(
      'batch',
      [
        get('Observation/O1'),
        get('Observation/O2'),
        get('Observation/nope'),
        { request: { method: 'GET', url: 'Observation' } },
        get('Patient/P1'),
        post(observation(LAB)),
        post(observation({ patient: 'P1', categories: ['vital-signs'] })),
        put(observation({ ...LAB, id: 'O5' })),
        del('Observation/O5'),
      ],
      { as: lab },
    )
    assert.deepEqual(statusesOf(answer), [200, 404, 404, 200, 403, 201, 403, 405, 404])
    const found = answer.json.entry[3].resource
    assert.ok(found.total >= 4 && found.total <= 5, String(found.total))
    assert.ok(!JSON.stringify(found).includes('vital-signs') || found.entry.length >= 4)
    const ids = found.entry.map(({ resource }: { resource: { id: string } }) => resource.id)
    for (const id of ['O2', 'O4', 'O5', 'O7', 'O12']) assert.ok(!ids.includes(id), id)
  })

  test('48 (S) one refused entry refuses a transaction', async () => {
    const before = await count('Observation')
    for (const [status, entry] of [
      [403, post(observation({ patient: 'P1', categories: ['vital-signs'] }))],
      [403, post(PATIENT)],
      [404, del('Observation/O2')],
      [405, put(observation({ ...LAB, id: 'O5' }))],
      [404, get('Observation/O2')],
      [403, { request: { method: 'GET', url: 'Patient' } }],
    ] as const) {
      const answer = await send('transaction', [post(observation(LAB)), entry], { as: lab })
      assert.equal(answer.status, status, answer.text)
      assert.match(answer.json.issue[0].expression?.[0] ?? '', /^Bundle\.entry\[1\]/)
    }
    assert.equal(await count('Observation'), before)
    const reading = await send(
      'transaction',
      [post(observation(LAB)), { request: { method: 'GET', url: 'Observation' } }],
      { as: lab },
    )
    assert.equal(reading.status, 200)
    assert.equal(reading.json.entry[1].resource.total, 5)
  })
})

const URN_A = 'urn:uuid:0a0a0a0a-0000-4000-8000-00000000000a'
const URN_B = 'urn:uuid:0b0b0b0b-0000-4000-8000-00000000000b'
const URN_C = 'urn:uuid:0c0c0c0c-0000-4000-8000-00000000000c'

function get(url: string, more: Record<string, string> = {}): Entry {
  return { request: { method: 'GET', url, ...more } }
}
function del(url: string): Entry {
  return { request: { method: 'DELETE', url } }
}
function post(resource: FhirResource, more: Record<string, string> = {}): Entry {
  return { resource, request: { method: 'POST', url: resource.resourceType, ...more } }
}
function put(resource: FhirResource, more: Record<string, string> = {}): Entry {
  const url = `${resource.resourceType}/${resource.id}`
  return { resource, request: { method: 'PUT', url, ...more } }
}

function statusesOf(answer: Answer): readonly number[] {
  assert.equal(answer.status, 200, answer.text)
  return answer.json.entry.map(({ response }: { response: { status: string } }) =>
    Number.parseInt(response.status, 10),
  )
}
