import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Answer, callerOf, EVERYTHING, type FhirCaller } from './fhir-caller.ts'
import { FIXTURE, type ObservationWords, observation } from './fixture.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

// http.html: #create, #update, #concurrency, #patch, #delete. Items 18 to 35.
const harness = await openHarness()
const serverIds = await openHarness({ updateCreate: false })

const LAB: ObservationWords = { patient: 'P1', categories: ['laboratory'] }

describe('create, update and delete', () => {
  let all: FhirCaller
  /** Does everything to the laboratory results of P1. */
  let lab: FhirCaller

  before(async () => {
    await serverIds.reset(FIXTURE)
    all = await callerOf(harness, EVERYTHING)
    lab = await callerOf(harness, {
      scope: expand('patient/Observation.cruds{LAB}'),
      patient: 'P1',
    })
  })
  beforeEach(() => harness.reset(FIXTURE))
  after(async () => {
    await harness.close()
    await serverIds.close()
  })

  async function total(): Promise<number> {
    return (await all('GET Observation?_summary=count')).json.total
  }
  async function create(words: ObservationWords = LAB): Promise<string> {
    const answer = await all('POST Observation', { body: observation(words) })
    assert.equal(answer.status, 201, answer.text)
    return answer.json.id
  }

  test('18 a create answers 201 with Location, ETag and Last-Modified, and the server chooses the id', async () => {
    const answer = await all('POST Observation', {
      body: {
        ...observation(LAB),
        id: 'mine',
        meta: { versionId: '9', lastUpdated: '1999-01-01T00:00:00Z', tag: [{ code: 'kept' }] },
      },
    })
    assert.equal(answer.status, 201)
    const { id, meta } = answer.json
    assert.notEqual(id, 'mine')
    assert.equal(meta.versionId, '1')
    assert.ok(Math.abs(Date.parse(meta.lastUpdated) - Date.now()) < 60_000)
    assert.deepEqual(meta.tag, [{ code: 'kept' }])
    assert.equal(answer.headers.get('location'), `${harness.baseUrl}/Observation/${id}/_history/1`)
    assert.equal(answer.headers.get('etag'), 'W/"1"')
    assert.ok(answer.headers.has('last-modified'))
    assert.equal((await all(`GET ${answer.headers.get('location')}`)).json.id, id)
    assert.equal((await all('GET Observation/mine')).status, 404)
  })

  test('19 a wrong body is 400, an invalid one 422, and nothing is stored', async () => {
    const before = await total()
    const wrong: readonly (readonly [status: number, body: unknown])[] = [
      [400, { ...observation(LAB), resourceType: 'Condition' }],
      [400, { status: 'final' }],
      [400, ' '],
      [400, 'null'],
      [400, '"Observation"'],
      [400, '{"resourceType":"Observation",'],
      [400, '{"resourceType":"Observation","status":"final","status":"amended"}'],
      [422, { ...observation(LAB), status: 'finished' }],
      [422, { ...observation(LAB), status: undefined }],
      [422, { ...observation(LAB), shoeSize: 44 }],
      [422, { ...observation(LAB), effectiveDateTime: '2024-13-01' }],
      [422, { ...observation(LAB), effectivePeriod: { start: '2024-01-01' } }],
      [422, { ...observation(LAB), category: { text: 'no list' } }],
      [422, { ...observation(LAB), subject: { reference: 'Medication/1' } }],
      [422, { ...observation(LAB), subject: { reference: '#nobody' } }],
    ]
    for (const [status, body] of wrong)
      for (const request of ['POST Observation', 'PUT Observation/O1']) {
        const sent =
          request.startsWith('PUT') && typeof body === 'object' ? { ...body, id: 'O1' } : body
        const answer = await all(request, { body: sent })
        assert.equal(answer.status, status, `${request} ${JSON.stringify(sent)} ${answer.text}`)
        assert.equal(answer.json.resourceType, 'OperationOutcome')
      }
    assert.equal(await total(), before)
    assert.equal((await all('GET Observation/O1')).json.meta.versionId, '1')
    const empty = await fetch(`${harness.baseUrl}/Observation`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await harness.mint(EVERYTHING)}`,
        'content-type': 'application/fhir+json',
      },
    })
    assert.equal(empty.status, 400)
  })

  test('20 a conditional create is refused, not carried out without its condition', async () => {
    const before = await total()
    const answer = await all('POST Observation', {
      body: observation(LAB),
      headers: { 'if-none-exist': 'identifier=abc' },
    })
    assert.equal(answer.status, 400)
    assert.equal(answer.json.issue[0].code, 'not-supported')
    assert.match(answer.json.issue[0].details.text, /If-None-Exist/)
    assert.equal(await total(), before)
  })

  test('21 (S) a body outside the scope is 403 and leaves no trace', async () => {
    const before = await total()
    for (const words of [
      { patient: 'P1', categories: ['vital-signs'] },
      { patient: 'P2', categories: ['laboratory'] },
      { patient: 'P1', categoryText: 'laboratory' },
      { categories: ['laboratory'] },
      { ...LAB, performer: 'Patient/P2' },
    ]) {
      const answer = await lab('POST Observation', { body: observation(words) })
      assert.equal(answer.status, 403, JSON.stringify(words))
      assert.equal(answer.headers.get('location'), null)
      assert.equal(answer.headers.get('etag'), null)
    }
    assert.equal(await total(), before)
    assert.equal(
      (await lab('POST Observation', { body: observation(LAB) })).json.meta.versionId,
      '1',
    )
  })

  test('22 an update makes the next version, the same content too', async () => {
    const body = { ...observation({ ...LAB, id: 'O1' }), status: 'amended' }
    const updated = await all('PUT Observation/O1', { body })
    assert.equal(updated.status, 200)
    assert.equal(updated.json.meta.versionId, '2')
    assert.equal(updated.headers.get('etag'), 'W/"2"')
    const same = await all('PUT Observation/O1', { body })
    assert.equal(same.status, 200)
    assert.equal(same.headers.get('etag'), 'W/"3"')
    assert.equal((await all('GET Observation/O1/_history')).json.total, 3)
  })

  test('23 a PUT to a new id creates where client ids are allowed, else it is 405', async () => {
    const body = observation({ ...LAB, id: 'new-one' })
    const created = await all('PUT Observation/new-one', { body })
    assert.equal(created.status, 201)
    assert.equal(
      created.headers.get('location'),
      `${harness.baseUrl}/Observation/new-one/_history/1`,
    )
    const strict = await callerOf(serverIds, EVERYTHING)
    assert.equal((await strict('PUT Observation/new-one', { body })).status, 405)
    assert.equal((await strict('GET Observation/new-one')).status, 404)
    const known = observation({ ...LAB, id: 'O1' })
    assert.equal((await strict('PUT Observation/O1', { body: known })).status, 200)
  })

  test('23 (S) a constrained token cannot choose an id, since it may be one that is hidden', async () => {
    const body = observation({ ...LAB, id: 'new-one' })
    assert.equal((await lab('PUT Observation/new-one', { body })).status, 405)
  })

  test('23 an id that is missing or another in the body is 400', async () => {
    const before = await total()
    for (const body of [observation(LAB), observation({ ...LAB, id: 'O2' })]) {
      const answer = await all('PUT Observation/O1', { body })
      assert.equal(answer.status, 400)
      assert.deepEqual(answer.json.issue[0].expression, ['Observation.id'])
    }
    assert.equal(await total(), before)
    assert.equal((await all('GET Observation/O1')).json.meta.versionId, '1')
  })

  test('24 a stale If-Match is 412, a malformed one 400, for PUT and DELETE', async () => {
    const body = { ...observation({ ...LAB, id: 'O1' }), status: 'amended' }
    const withMatch = (request: string, match: string, sent?: unknown) =>
      all(request, { headers: { 'if-match': match }, body: sent })
    for (const match of ['W/"2"', '"7"'])
      for (const [request, sent] of [
        ['PUT Observation/O1', body],
        ['DELETE Observation/O1', undefined],
      ] as const)
        assert.equal((await withMatch(request, match, sent)).status, 412, `${request} ${match}`)
    for (const match of ['1', 'W/1', 'W/"x"', '*', 'W/"1", W/"2"'])
      for (const [request, sent] of [
        ['PUT Observation/O1', body],
        ['DELETE Observation/O1', undefined],
      ] as const)
        assert.equal((await withMatch(request, match, sent)).status, 400, `${request} ${match}`)
    assert.equal((await all('GET Observation/O1')).json.meta.versionId, '1')
    assert.equal((await withMatch('PUT Observation/O1', 'W/"1"', body)).status, 200)
    assert.equal((await withMatch('DELETE Observation/O1', 'W/"2"')).status, 204)
    const nowhere = observation({ ...LAB, id: 'nowhere' })
    assert.equal((await withMatch('PUT Observation/nowhere', 'W/"1"', nowhere)).status, 412)
    assert.equal((await all('GET Observation/nowhere')).status, 404)
  })

  test('24 If-None-Match with a star creates only', async () => {
    const put = (id: string) =>
      all(`PUT Observation/${id}`, {
        headers: { 'if-none-match': '*' },
        body: observation({ ...LAB, id }),
      })
    assert.equal((await put('O1')).status, 412)
    assert.equal((await put('once')).status, 201)
    assert.equal((await put('once')).status, 412)
  })

  test('25 of updates at the same moment with the same If-Match exactly one wins', async () => {
    const id = await create()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        all(`PUT Observation/${id}`, {
          headers: { 'if-match': 'W/"1"' },
          body: { ...observation({ ...LAB, id }), note: [{ text: `writer ${index}` }] },
        }),
      ),
    )
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [200, ...Array.from({ length: 11 }, () => 412)])
    assert.equal((await all(`GET Observation/${id}/_history`)).json.total, 2)
  })

  test('26 a PUT on a deleted id revives it, and the history shows the gap', async () => {
    const body = observation({ ...LAB, id: 'O9' })
    const revived = await all('PUT Observation/O9', { body })
    assert.ok([200, 201].includes(revived.status), revived.text)
    assert.equal(revived.json.meta.versionId, '3')
    assert.equal((await all('GET Observation/O9')).status, 200)
    const { entry } = (await all('GET Observation/O9/_history')).json
    assert.deepEqual(
      entry.map((each: { request: { method: string } }) => each.request.method),
      ['PUT', 'DELETE', 'PUT'],
    )
    assert.equal((await all('GET Observation/O9/_history/2')).status, 410)
  })

  test('26 (S) a constrained token does not revive', async () => {
    assert.equal(
      (await lab('PUT Observation/O9', { body: observation({ ...LAB, id: 'O9' }) })).status,
      405,
    )
  })

  test('27 a conditional update is refused', async () => {
    const before = await total()
    const answer = await all('PUT Observation?identifier=abc', { body: observation(LAB) })
    assert.equal(answer.status, 405)
    assert.match(answer.json.issue[0].details.text, /conditional/)
    assert.equal(await total(), before)
  })

  test('28 (S) the scope must hold before and after an update', async () => {
    const put = (id: string, words: ObservationWords) =>
      lab(`PUT Observation/${id}`, { body: observation({ ...words, id }) })
    assert.equal((await put('O1', { ...LAB, status: 'amended' })).status, 200)
    assert.equal((await put('O1', { patient: 'P1', categories: ['vital-signs'] })).status, 403)
    assert.equal((await put('O1', { patient: 'P2', categories: ['laboratory'] })).status, 403)
    assert.equal((await put('O1', { categories: ['laboratory'] })).status, 403)
    for (const id of ['O2', 'O5']) assert.equal((await put(id, LAB)).status, 405, id)
    assert.equal((await all('GET Observation/O1')).json.meta.versionId, '2')
    assert.equal((await all('GET Observation/O2')).json.meta.versionId, '1')
    const both = await callerOf(harness, {
      scope: expand('patient/Observation.u{LAB} patient/Observation.u{VS}'),
      patient: 'P1',
    })
    const moved = observation({ id: 'O1', patient: 'P1', categories: ['vital-signs'] })
    assert.equal((await both('PUT Observation/O1', { body: moved })).status, 200)
  })

  test('28 (S) of what is visible and not writable the refusal says so', async () => {
    const reader = await callerOf(harness, {
      scope: expand('patient/Observation.rs patient/Observation.ud{LAB}'),
      patient: 'P1',
    })
    const put = await reader('PUT Observation/O2', {
      body: observation({ ...LAB, id: 'O2' }),
    })
    assert.equal(put.status, 403)
    assert.equal((await reader('DELETE Observation/O2')).status, 403)
    assert.equal((await reader('DELETE Observation/O5')).status, 404)
  })

  test('29 30 31 32 patch is refused in every form', async () => {
    const bodies: readonly (readonly [type: string, body: string])[] = [
      ['application/json-patch+json', '[{"op":"replace","path":"/status","value":"amended"}]'],
      ['application/merge-patch+json', '{"status":"amended"}'],
      ['application/fhir+json', '{"resourceType":"Parameters"}'],
    ]
    for (const [type, body] of bodies)
      for (const path of ['Observation/O1', 'Observation?identifier=abc']) {
        const answer = await all(`PATCH ${path}`, { body, headers: { 'content-type': type } })
        assert.ok([405, 415].includes(answer.status), `${type} ${answer.status}`)
        assert.equal(answer.json.resourceType, 'OperationOutcome')
      }
    const inBundle = await all(`POST ${harness.baseUrl}`, {
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          {
            resource: {
              resourceType: 'Binary',
              contentType: 'application/json-patch+json',
              data: 'W10=',
            },
            request: { method: 'PATCH', url: 'Observation/O1' },
          },
        ],
      },
    })
    assert.equal(inBundle.status, 400)
    assert.equal((await all('GET Observation/O1')).json.meta.versionId, '1')
  })

  test('33 a delete answers 204, twice too; then reads are 410 and the history keeps all', async () => {
    const id = await create()
    const deleted = await all(`DELETE Observation/${id}`)
    assert.equal(deleted.status, 204)
    assert.equal(deleted.text, '')
    assert.equal((await all(`DELETE Observation/${id}`)).status, 204)
    assert.equal((await all(`GET Observation/${id}`)).status, 410)
    assert.equal((await all(`GET Observation/${id}/_history`)).json.total, 2)
    assert.equal((await all(`GET Observation/${id}/_history/1`)).status, 200)
    assert.equal((await all(`GET Observation?_id=${id}`)).json.total, 0)
    const told = await all(`DELETE Observation/${await create()}`, {
      headers: { prefer: 'return=OperationOutcome' },
    })
    assert.equal(told.status, 200)
    assert.equal(told.json.resourceType, 'OperationOutcome')
    assert.equal((await all('DELETE Observation/never-was')).status, 404)
  })

  test('33 (S) only what the scope covers is deleted; the rest answers as absent', async () => {
    const texts = new Set<string>()
    for (const id of ['O2', 'O5', 'never-was']) {
      const answer = await lab(`DELETE Observation/${id}`)
      assert.equal(answer.status, 404)
      texts.add(withoutCorrelation(answer))
    }
    assert.equal(texts.size, 1)
    assert.equal((await lab('DELETE Observation/O1')).status, 204)
    assert.equal((await all('GET Observation/O2')).status, 200)
    assert.equal((await all('GET Observation/O1')).status, 410)
    assert.equal((await lab('DELETE Observation/O9')).status, 204)
  })

  test('34 a resource that others refer to may be deleted: references are not checked', async () => {
    assert.equal((await all('DELETE Patient/P1')).status, 204)
    assert.equal((await all('GET Observation/O1')).status, 200)
    const dangling = observation({ patient: 'nobody', categories: ['laboratory'] })
    assert.equal((await all('POST Observation', { body: dangling })).status, 201)
  })

  test('34 (S) the answer to a delete does not tell who refers to the resource', async () => {
    // D1 and V1 refer to O1, nothing refers to O3.
    const referred = await lab('DELETE Observation/O1')
    const free = await lab('DELETE Observation/O3')
    assert.equal(referred.status, free.status)
    assert.equal(referred.text, free.text)
  })

  test('35 a conditional delete is refused, with and without criteria', async () => {
    const before = await total()
    for (const path of ['Observation?identifier=abc', 'Observation', 'Observation?']) {
      const answer = await all(`DELETE ${path}`)
      assert.equal(answer.status, 405, path)
      assert.equal(answer.json.resourceType, 'OperationOutcome')
    }
    assert.equal(await total(), before)
  })
})

function withoutCorrelation({ headers, text }: Answer): string {
  return text.replaceAll(headers.get('x-request-id') ?? '', '')
}
