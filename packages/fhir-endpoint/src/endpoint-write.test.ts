import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BASE, type SendOptions } from './test-support/endpoint-under-test.ts'
import { LAB, observation, VITAL } from './test-support/fixture.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
const all: SendOptions = { scope: 'system/*.cruds' }
const tauW: SendOptions = { scope: `patient/Observation.cu${LAB}`, patient: 'P1' }
const tauX: SendOptions = { scope: `patient/Observation.cruds${LAB}`, patient: 'P1' }

const post = (body: unknown, options: SendOptions) =>
  t.send('Observation', { ...options, method: 'POST', body })
const put = (id: string, body: unknown, options: SendOptions) =>
  t.send(`Observation/${id}`, { ...options, method: 'PUT', body })
const count = async () => (await t.send('Observation?_summary=count', all)).json.total as number
const code = (answer: Awaited<ReturnType<typeof t.send>>) =>
  answer.json.issue[0].details.coding?.[0].code

describe('create', () => {
  test('answers 201 with the place of the new version', async () => {
    const answer = await post(observation('mine', 'P1', ['laboratory']), tauX)
    assert.equal(answer.status, 201)
    const id = answer.json.id
    assert.notEqual(id, 'mine')
    assert.equal(answer.headers.get('location'), `${BASE}/Observation/${id}/_history/1`)
    assert.equal(answer.headers.get('etag'), 'W/"1"')
    assert.ok(answer.headers.get('last-modified'))
    assert.equal((await t.send(`Observation/${id}`, tauX)).status, 200)
  })

  test('decimals, order and Unicode survive outside id and meta', async () => {
    const text =
      '{"resourceType" : "Observation", "status":"final","code":{"text":"å \\u00e9 😀"},' +
      '"category":[{"coding":[{"code":"laboratory","system":"http://terminology.hl7.org/CodeSystem/observation-category"}]}],' +
      '"subject":{"reference":"Patient/P1"},"valueQuantity":{"value":1.00,"_value":{"id":"x"}},' +
      '"referenceRange":[{"low":{"value":123456789012345678.10}}]}'
    const { json } = await post(text, tauX)
    const stored = await t.send(`Observation/${json.id}`, tauX)
    assert.ok(stored.text.includes('"value":1.00,'))
    assert.ok(stored.text.includes('123456789012345678.10'))
    assert.ok(stored.text.includes('å \\u00e9 😀'))
  })

  test('Prefer chooses what comes back; without r nothing does', async () => {
    const body = observation(undefined, 'P1', ['laboratory'])
    const prefer = (value: string) => ({ headers: { Prefer: `return=${value}` } })
    assert.equal((await post(body, { ...tauX, ...prefer('minimal') })).text, '')
    assert.equal(
      (await post(body, { ...tauX, ...prefer('representation') })).json.resourceType,
      'Observation',
    )
    assert.equal(
      (await post(body, { ...tauX, ...prefer('OperationOutcome') })).json.resourceType,
      'OperationOutcome',
    )
    const blind = await post(body, { ...tauW, ...prefer('representation') })
    assert.equal(blind.status, 201)
    assert.equal(blind.text, '')
    assert.ok(blind.headers.get('location'))
  })

  test('a body outside the scopes is refused with the reason, and nothing is stored', async () => {
    const before = await count()
    const refused: [unknown, string?][] = [
      [observation(undefined, 'P1', ['vital-signs'])],
      [observation(undefined, 'P2', ['laboratory'])],
      [observation(undefined, undefined, ['laboratory'])],
      [observation(undefined, 'P1', ['laboratory'], { performer: [{ reference: 'Patient/P2' }] })],
    ]
    for (const [body] of refused) {
      const answer = await post(body, tauW)
      assert.equal(answer.status, 403, answer.text)
      assert.match(answer.headers.get('www-authenticate') ?? '', /insufficient_scope/)
    }
    assert.equal(await count(), before)
  })

  test('a body that is wrong by itself says where', async () => {
    const before = await count()
    const cases: [string, number][] = [
      ['', 400],
      ['{', 400],
      ['[]', 400],
      ['{"resourceType":"Condition","subject":{"reference":"Patient/P1"}}', 400],
      [
        '{"resourceType":"Observation","status":"final","code":{},"subject":{"reference":"Patient/P1"},"subject":{"reference":"Patient/P2"}}',
        400,
      ],
      ['{"resourceType":"Observation","code":{"text":"no status"}}', 422],
      ['{"resourceType":"Observation","status":"final","code":{"text":"x"},"nonsense":1}', 422],
      [`{"resourceType":"Observation","x":${'['.repeat(500)}${']'.repeat(500)}}`, 400],
    ]
    for (const [body, status] of cases) {
      const answer = await post(body, all)
      assert.equal(answer.status, status, `${body.slice(0, 60)} ${answer.text}`)
      assert.equal(answer.json.resourceType, 'OperationOutcome')
    }
    const twice = await post(cases[4]![0], all)
    assert.match(twice.json.issue[0].details.text, /twice.*line 1/)
    const invalid = await post(cases[6]![0], all)
    assert.deepEqual(invalid.json.issue[0].expression, ['Observation.nonsense'])
    assert.equal(await count(), before)
  })

  test('the way it is sent is judged: type, size, encoding, condition', async () => {
    const body = observation(undefined, 'P1', ['laboratory'])
    const headed = (headers: Record<string, string>) => post(body, { ...all, headers })
    assert.equal((await headed({ 'Content-Type': 'text/plain' })).status, 415)
    assert.equal((await headed({ 'Content-Type': 'application/fhir+xml' })).status, 415)
    assert.equal((await headed({ 'Content-Type': 'application/json; charset=latin1' })).status, 415)
    assert.equal(
      (await headed({ 'Content-Type': 'application/fhir+json; fhirVersion=3.0' })).status,
      415,
    )
    assert.equal(
      (await headed({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })).status,
      415,
    )
    assert.equal(
      (await headed({ 'Content-Type': 'application/fhir+json', 'If-None-Exist': 'identifier=x' }))
        .status,
      400,
    )
    const large = await seededEndpoint(undefined, { settings: { maxBodyBytes: 1000 } })
    const big = observation(undefined, 'P1', ['laboratory'], { note: [{ text: 'x'.repeat(1000) }] })
    assert.equal(
      (await large.send('Observation', { ...all, method: 'POST', body: big })).status,
      413,
    )
  })

  test('the letter comes before the body', async () => {
    const answer = await post('{', { scope: 'system/Observation.rs' })
    assert.equal(answer.status, 403)
    assert.equal(code(answer), 'permission_missing')
  })
})

describe('update', () => {
  test('a hidden instance answers as one that was never there, and is untouched', async () => {
    const before = (await t.send('Observation/O2', all)).text
    const absent = await put('nope', observation('nope', 'P1', ['laboratory']), tauX)
    assert.equal(absent.status, 405)
    for (const id of ['O5', 'O2']) {
      const hidden = await put(id, observation(id, 'P1', ['laboratory']), tauX)
      assert.deepEqual(
        [hidden.status, hidden.text, [...hidden.headers]],
        [absent.status, absent.text, [...absent.headers]],
      )
    }
    assert.equal((await t.send('Observation/O2', all)).text, before)
  })

  test('must fit the scopes before and after', async () => {
    const moved = await put('O1', observation('O1', 'P2', ['laboratory']), tauX)
    assert.equal(moved.status, 403)
    const widened = await put('O1', observation('O1', 'P1', ['laboratory', 'vital-signs']), tauX)
    assert.equal(widened.status, 200)
    assert.equal(widened.headers.get('etag'), 'W/"2"')
    assert.equal(widened.json.meta.versionId, '2')
    assert.equal(widened.headers.get('content-location'), `${BASE}/Observation/O1/_history/2`)
    const union = {
      scope: `patient/Observation.u${LAB} patient/Observation.u${VITAL}`,
      patient: 'P1',
    }
    assert.equal((await put('O1', observation('O1', 'P1', ['vital-signs']), union)).status, 200)
  })

  test('what can be seen and not written is refused with the reason', async () => {
    const seeing = { scope: `patient/Observation.rs patient/Observation.u${LAB}`, patient: 'P1' }
    const answer = await put('O2', observation('O2', 'P1', ['laboratory']), seeing)
    assert.equal(answer.status, 403)
    assert.equal(code(answer), 'stored_not_writable')
  })

  test('If-Match guards against a version in between', async () => {
    const body = observation('O3', 'P1', ['laboratory'])
    const ifMatch = (value: string) => put('O3', body, { ...tauX, headers: { 'If-Match': value } })
    assert.equal((await ifMatch('W/"7"')).status, 412)
    assert.equal((await ifMatch('nonsense')).status, 400)
    assert.equal((await ifMatch('W/"1"')).status, 200)
    const [one, two] = await Promise.all([
      put('O3', { ...body, status: 'amended' }, { ...tauX, headers: { 'If-Match': 'W/"2"' } }),
      put('O3', { ...body, status: 'corrected' }, { ...tauX, headers: { 'If-Match': 'W/"2"' } }),
    ])
    assert.deepEqual([one.status, two.status].sort(), [200, 412])
  })

  test('the id of the body is that of the address', async () => {
    assert.equal((await put('O3', observation('other', 'P1', ['laboratory']), tauX)).status, 400)
    assert.equal((await put('O3', observation(undefined, 'P1', ['laboratory']), tauX)).status, 400)
  })

  test('a new id is made only where the setting and the scopes allow', async () => {
    const open = await seededEndpoint(undefined, { settings: { updateCreate: true } })
    const body = observation('new-1', 'P1', ['laboratory'])
    const made = await open.send('Observation/new-1', { ...all, method: 'PUT', body })
    assert.equal(made.status, 201)
    assert.equal(made.headers.get('location'), `${BASE}/Observation/new-1/_history/1`)
    const body2 = observation('new-2', 'P1', ['laboratory'])
    assert.equal(
      (await open.send('Observation/new-2', { ...tauX, method: 'PUT', body: body2 })).status,
      405,
    )
    assert.equal((await put('new-1', body, all)).status, 405)
    const exists = { ...all, method: 'PUT', body, headers: { 'If-None-Match': '*' } }
    assert.equal((await open.send('Observation/new-1', exists)).status, 412)
  })
})

describe('delete', () => {
  test('works once and again; hidden is absent', async () => {
    const d = { scope: `patient/Observation.d${LAB}`, patient: 'P1', method: 'DELETE' }
    assert.equal((await t.send('Observation/O8', d)).status, 204)
    assert.equal((await t.send('Observation/O8', { ...d, method: 'GET' })).status, 403)
    assert.equal((await t.send('Observation/O8', { ...tauX, method: 'DELETE' })).status, 204)
    const vital = { scope: `patient/Observation.cruds${VITAL}`, patient: 'P1', method: 'DELETE' }
    assert.equal((await t.send('Observation/O8', vital)).status, 404)
    const hidden = await t.send('Observation/O5', { ...tauX, method: 'DELETE' })
    const absent = await t.send('Observation/nope', { ...tauX, method: 'DELETE' })
    assert.deepEqual([hidden.status, hidden.text], [absent.status, absent.text])
    assert.equal(hidden.status, 404)
    assert.equal((await t.send('Observation/O5', all)).status, 200)
  })
})
