import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, callerOf, EVERYTHING, type FhirCaller, linkOf } from './fhir-caller.ts'
import { FIXTURE, observation } from './fixture.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

// http.html: #read, #vread, #history. Items 13 to 17 and 36 to 38.
const harness = await openHarness()

interface HistoryEntry {
  readonly fullUrl: string
  readonly resource?: { readonly meta: { readonly versionId: string } }
  readonly request: { readonly method: string; readonly url: string }
  readonly response: {
    readonly status: string
    readonly etag: string
    readonly lastModified: string
  }
}

describe('read, vread and history', () => {
  let all: FhirCaller
  /** Laboratory results of P1. */
  let lab: FhirCaller

  before(async () => {
    await harness.reset(FIXTURE)
    all = await callerOf(harness, EVERYTHING)
    lab = await callerOf(harness, { scope: expand('patient/Observation.rs{LAB}'), patient: 'P1' })
  })
  after(() => harness.close())

  test('13 a read answers the resource with id, versionId and lastUpdated', async () => {
    const { status, json } = await all('GET Observation/O10')
    assert.equal(status, 200)
    assert.equal(json.resourceType, 'Observation')
    assert.equal(json.id, 'O10')
    assert.equal(json.meta.versionId, '2')
    assert.match(json.meta.lastUpdated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)$/)
  })

  test('14 what never existed is 404, what was deleted 410', async () => {
    assert.equal((await all('GET Observation/nope')).status, 404)
    const gone = await all('GET Observation/O9')
    assert.equal(gone.status, 410)
    assert.equal(gone.json.issue[0].code, 'deleted')
  })

  test('14 (S) what was deleted is 410 for whoever saw it last, 404 for everybody else', async () => {
    assert.equal((await lab('GET Observation/O9')).status, 410)
    for (const wish of [
      { scope: expand('patient/Observation.rs{LAB}'), patient: 'P2' },
      { scope: expand('patient/Observation.rs{VS}'), patient: 'P1' },
    ]) {
      const other = await callerOf(harness, wish)
      const gone = await other('GET Observation/O9')
      assertSameAbsence(gone, await other('GET Observation/nope'))
    }
  })

  test('15 vread answers every version as it was', async () => {
    const body = observation({ patient: 'P1', categories: ['laboratory'] })
    const { id } = (await all('POST Observation', { body })).json
    const bodies = [body]
    for (const status of ['amended', 'corrected', 'final']) {
      const next = { ...body, status }
      bodies.push(next)
      assert.equal((await all(`PUT Observation/${id}`, { body: { ...next, id } })).status, 200)
    }
    assert.equal((await all(`DELETE Observation/${id}`)).status, 204)
    for (const [index, expected] of bodies.entries()) {
      const version = String(index + 1)
      const answer = await all(`GET Observation/${id}/_history/${version}`)
      assert.equal(answer.status, 200)
      const { id: gotId, meta, ...rest } = answer.json
      assert.equal(gotId, id)
      assert.equal(meta.versionId, version)
      assert.equal(answer.headers.get('etag'), `W/"${version}"`)
      const { id: _, ...content } = expected as { id?: string }
      assert.deepEqual(rest, content)
    }
    assert.equal((await all(`GET Observation/${id}/_history/5`)).status, 410)
    for (const version of ['6', '0', '01', 'x', '99999999999', '-1', '1.0'])
      assert.equal((await all(`GET Observation/${id}/_history/${version}`)).status, 404, version)
  })

  test('16 a version that the caller has is 304', async () => {
    const read = await all('GET Observation/O1')
    const etag = read.headers.get('etag')!
    const modified = read.headers.get('last-modified')!
    const same = async (headers: Record<string, string>) =>
      (await all('GET Observation/O1', { headers })).status
    assert.equal(await same({ 'if-none-match': etag }), 304)
    assert.equal(await same({ 'if-none-match': `W/"9", ${etag}` }), 304)
    assert.equal(await same({ 'if-none-match': 'W/"9"' }), 200)
    assert.equal(await same({ 'if-modified-since': modified }), 304)
    const earlier = new Date(Date.parse(modified) - 1000).toUTCString()
    assert.equal(await same({ 'if-modified-since': earlier }), 200)
    // If-None-Match goes first where both are sent. RFC 9110 §13.2.2
    assert.equal(await same({ 'if-none-match': 'W/"9"', 'if-modified-since': modified }), 200)
    const unchanged = await all('GET Observation/O1', { headers: { 'if-none-match': etag } })
    assert.equal(unchanged.text, '')
    assert.equal(unchanged.headers.get('etag'), etag)
  })

  test('17 (S) what is outside the scope answers as what never existed', async () => {
    const conditions = [
      {},
      { 'if-none-match': 'W/"1"' },
      { 'if-modified-since': new Date().toUTCString() },
    ]
    for (const headers of conditions)
      for (const tail of ['', '/_history', '/_history/1', '/_history/2', '?_summary=true']) {
        const absent = await lab(`GET Observation/nope${tail}`, { headers })
        for (const id of ['O2', 'O5', 'O7', 'O11', 'O12'])
          assertSameAbsence(await lab(`GET Observation/${id}${tail}`, { headers }), absent)
      }
  })

  test('36 the history of an instance lists every version, newest first', async () => {
    const answer = await all('GET Observation/O9/_history')
    assert.equal(answer.status, 200)
    assert.equal(answer.json.type, 'history')
    const entries: readonly HistoryEntry[] = answer.json.entry
    assert.deepEqual(
      entries.map(({ request, response }) => [request.method, request.url, response.etag]),
      [
        ['DELETE', 'Observation/O9', 'W/"2"'],
        ['PUT', 'Observation/O9', 'W/"1"'],
      ],
    )
    assert.equal(entries[0]!.resource, undefined)
    assert.equal(entries[1]!.resource!.meta.versionId, '1')
    for (const { response, fullUrl } of entries) {
      assert.match(response.status, /^2\d\d/)
      assert.ok(!Number.isNaN(Date.parse(response.lastModified)))
      assert.equal(fullUrl, `${harness.baseUrl}/Observation/O9`)
    }
    const created = await all('POST Patient', { body: { resourceType: 'Patient' } })
    const [entry] = (await all(`GET Patient/${created.json.id}/_history`)).json.entry
    assert.equal(entry.request.method, 'POST')
    assert.equal(entry.request.url, 'Patient')
    assert.match(entry.response.status, /^201/)
  })

  test('36 history of a type and of the whole server is refused, not answered with something else', async () => {
    assert.equal((await all('GET Observation/_history')).status, 404)
    assert.ok([404, 405].includes((await all('GET _history')).status))
    assert.equal((await all('GET _history')).json.resourceType, 'OperationOutcome')
  })

  test('37 _count pages a history, which stays the same while writes go on', async () => {
    const body = observation({ patient: 'P1', categories: ['laboratory'] })
    const { id } = (await all('POST Observation', { body })).json
    const change = (text: string) =>
      all(`PUT Observation/${id}`, { body: { ...body, id, note: [{ text }] } })
    for (let version = 2; version <= 7; version += 1) await change(`v${version}`)
    const first = await all(`GET Observation/${id}/_history?_count=3`)
    assert.equal(first.json.total, 7)
    const seen = versionsOf(first)
    let next = linkOf(first, 'next')
    while (next !== undefined) {
      await change(`between ${seen.length}`)
      const page = await all(`GET ${next}`)
      assert.equal(page.status, 200, page.text)
      seen.push(...versionsOf(page))
      next = linkOf(page, 'next')
    }
    assert.deepEqual(seen, ['7', '6', '5', '4', '3', '2', '1'])
    assert.equal((await all(`GET Observation/${id}/_history?_count=some`)).status, 400)
  })

  test('37 _since takes the versions from then on, _at those current then', async () => {
    const body = observation({ patient: 'P1', categories: ['laboratory'] })
    const { id } = (await all('POST Observation', { body })).json
    const times: string[] = []
    for (let version = 2; version <= 4; version += 1) {
      await new Promise((done) => setTimeout(done, 15))
      const answer = await all(`PUT Observation/${id}`, {
        body: { ...body, id, note: [{ text: `v${version}` }] },
      })
      times.push(answer.json.meta.lastUpdated)
    }
    const since = await all(
      `GET Observation/${id}/_history?_since=${encodeURIComponent(times[1]!)}`,
    )
    assert.deepEqual(versionsOf(since), ['4', '3'])
    const at = await all(`GET Observation/${id}/_history?_at=${encodeURIComponent(times[0]!)}`)
    assert.deepEqual(versionsOf(at), ['2'])
    assert.equal((await all(`GET Observation/${id}/_history?_since=then`)).status, 400)
  })

  test('38 (S) every version is judged by its own content', async () => {
    // O10 was P2's, then P1's; O11 was laboratory, then social history.
    const history = await lab('GET Observation/O10/_history')
    assert.equal(history.status, 200)
    assert.deepEqual(versionsOf(history), ['2'])
    assert.equal(history.json.total, 1)
    assert.equal((await lab('GET Observation/O10/_history/2')).status, 200)
    assertSameAbsence(
      await lab('GET Observation/O10/_history/1'),
      await lab('GET Observation/O10/_history/3'),
    )
    assert.equal((await lab('GET Observation/O11/_history')).status, 404)
    assert.equal((await lab('GET Observation/O11/_history/1')).status, 404)
    // What was visible last shows its versions and its deletion.
    assert.deepEqual(versionsOf(await lab('GET Observation/O9/_history')), ['2', '1'])
  })
})

function versionsOf(answer: Answer): string[] {
  const entries: readonly HistoryEntry[] = answer.json.entry ?? []
  return entries.map(({ response }) => /"(\d+)"/.exec(response.etag)![1]!)
}

/** Alike in everything but the correlation id and the time. */
function assertSameAbsence(got: Answer, absent: Answer): void {
  const steady = ({ status, headers, text }: Answer) => {
    const names = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
    return { status, names, text: text.replaceAll(headers.get('x-request-id') ?? '', '') }
  }
  assert.equal(got.status, 404)
  assert.deepEqual(steady(got), steady(absent))
}
