import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BASE } from './test-support/endpoint-under-test.ts'
import { LAB, observation, VITAL } from './test-support/fixture.ts'
import { OPERATOR, seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
await t.put(observation('O9', 'P1', ['laboratory']))
await t.remove('Observation', 'O9')
await t.put(observation('O10', 'P2', ['laboratory']))
await t.put(observation('O10', 'P1', ['laboratory']))

const tau1 = { scope: `patient/Patient.rs patient/Observation.rs${LAB}`, patient: 'P1' }

/** What a caller can tell two answers apart by, with the ids it sent itself taken out. */
function shape(answer: Awaited<ReturnType<typeof t.send>>) {
  return { status: answer.status, headers: [...answer.headers], text: answer.text }
}

describe('read', () => {
  test('answers the stored body with its version in the headers', async () => {
    const answer = await t.send('Observation/O1', tau1)
    assert.equal(answer.status, 200)
    assert.equal(answer.json.id, 'O1')
    assert.equal(answer.headers.get('etag'), 'W/"1"')
    assert.ok(answer.headers.get('last-modified'))
    assert.equal(answer.headers.get('content-type'), 'application/fhir+json; charset=utf-8')
    assert.equal(answer.headers.get('cache-control'), 'private, no-store')
    assert.match(answer.headers.get('vary') ?? '', /Authorization/)
    assert.equal(answer.headers.get('x-request-id'), 'req-00000001')
  })

  test('answers for hidden instances are those for absent ones, byte for byte', async () => {
    const absent = shape(await t.send('Observation/nope', tau1))
    assert.equal(absent.status, 404)
    for (const id of ['O2', 'O4', 'O5', 'O6', 'O7']) {
      assert.deepEqual(shape(await t.send(`Observation/${id}`, tau1)), absent, id)
    }
    for (const path of [
      'Observation/O2/_history',
      'Observation/O2/_history/1',
      'Observation/nope/_history/1',
    ]) {
      assert.deepEqual(shape(await t.send(path, tau1)), absent, path)
    }
  })

  test('conditions on a hidden instance change nothing, whatever they name', async () => {
    for (const headers of [
      { 'If-None-Match': 'W/"1"' },
      { 'If-Modified-Since': 'Fri, 31 Dec 2027 00:00:00 GMT' },
    ]) {
      const hidden = await t.send('Observation/O2', { ...tau1, headers })
      const absent = await t.send('Observation/nope', { ...tau1, headers })
      assert.deepEqual(shape(hidden), shape(absent))
      assert.equal(hidden.status, 404)
      assert.equal((await t.send('Observation/O1', { ...tau1, headers })).status, 304)
    }
    assert.equal((await t.send('Observation/O2?_elements=id', tau1)).status, 404)
  })

  test('a type without the letter is refused for every id alike, with the scope that would do', async () => {
    const one = await t.send('Encounter/E1', tau1)
    const none = await t.send('Encounter/nope', tau1)
    assert.deepEqual(shape(one), shape(none))
    assert.equal(one.status, 403)
    assert.match(
      one.headers.get('www-authenticate') ?? '',
      /^Bearer realm=".*error="insufficient_scope".*scope="patient\/Encounter\.r"/,
    )
    assert.equal(one.json.issue[0].details.coding[0].code, 'type_not_granted')
    assert.match(one.json.issue[0].diagnostics, /correlation id req-00000001/)
  })

  test('HEAD is GET without the body', async () => {
    const get = await t.send('Observation/O1', tau1)
    const head = await t.send('Observation/O1', { ...tau1, method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
    assert.equal(head.headers.get('etag'), get.headers.get('etag'))
    assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(get.text)))
    assert.equal((await t.send('Observation/O2', { ...tau1, method: 'HEAD' })).status, 404)
  })

  test('a deleted instance is gone for whom its last content was visible, absent for others', async () => {
    assert.equal((await t.send('Observation/O9', tau1)).status, 410)
    const other = { scope: `patient/Observation.rs${VITAL}`, patient: 'P1' }
    assert.equal((await t.send('Observation/O9', other)).status, 404)
    assert.equal((await t.send('Observation/O9/_history/1', tau1)).status, 200)
    const history = await t.send('Observation/O9/_history', tau1)
    assert.equal(history.json.total, 2)
    assert.deepEqual(
      history.json.entry.map((entry: { request: { method: string } }) => entry.request.method),
      ['DELETE', 'PUT'],
    )
    assert.equal(history.json.entry[0].resource, undefined)
  })

  test('a history shows only the versions that are visible, page by page', async () => {
    const whole = await t.send('Observation/O10/_history', tau1)
    assert.equal(whole.json.total, 1)
    assert.equal(whole.json.entry[0].resource.meta.versionId, '2')
    const first = await t.send('Observation/O9/_history?_count=1', tau1)
    const next = first.json.link.find((link: { relation: string }) => link.relation === 'next').url
    const second = await t.send(next, tau1)
    assert.equal(second.json.entry[0].request.method, 'PUT')
    assert.equal((await t.send(next, { ...tau1, clientId: 'other' })).status, 403)
  })
})

describe('trimming', () => {
  test('_elements keeps what was asked and what the type requires, and says so', async () => {
    const { json } = await t.send('Observation/O1?_elements=encounter', tau1)
    assert.deepEqual(Object.keys(json).sort(), [
      'code',
      'encounter',
      'id',
      'meta',
      'resourceType',
      'status',
    ])
    assert.equal(json.meta.tag[0].code, 'SUBSETTED')
  })

  test('_summary=true keeps summary elements, _summary=data drops the narrative', async () => {
    await t.put(
      observation('O20', 'P1', ['laboratory'], {
        text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' },
        note: [{ text: 'n' }],
      }),
    )
    const summary = await t.send('Observation/O20?_summary=true', tau1)
    assert.equal(summary.json.text, undefined)
    assert.equal(summary.json.note, undefined)
    assert.equal(summary.json.subject.reference, 'Patient/P1')
    const data = await t.send('Observation/O20?_summary=data', tau1)
    assert.equal(data.json.text, undefined)
    assert.deepEqual(data.json.note, [{ text: 'n' }])
    const text = await t.send('Observation/O20?_summary=text', tau1)
    assert.ok(text.json.text)
    assert.equal(text.json.subject, undefined)
    await t.remove('Observation', 'O20')
  })

  test('_pretty indents without touching numbers', async () => {
    const body = `{"resourceType":"Observation","id":"O21","status":"final","code":{"text":"a \\"q\\" , b"},"subject":{"reference":"Patient/P1"},"category":[{"coding":[{"code":"laboratory","system":"http://terminology.hl7.org/CodeSystem/observation-category"}]}],"valueQuantity":{"value":1.00}}`
    await t.repository.update(
      { type: 'Observation', id: 'O21' },
      { text: body, resource: JSON.parse(body) },
      OPERATOR,
      { updateCreate: true },
    )
    const pretty = await t.send('Observation/O21?_pretty=true', tau1)
    assert.match(pretty.text, /\n {4}"value": 1\.00\n/)
    const plain = await t.send('Observation/O21', tau1)
    assert.deepEqual(pretty.json, plain.json)
    await t.remove('Observation', 'O21')
  })
})

describe('asking', () => {
  const ok = { scope: 'system/*.cruds' }
  const cases: readonly [string, number, Parameters<typeof t.send>[1]][] = [
    ['Observation/O1?_format=xml', 406, ok],
    ['Observation/O1?_format=json', 200, { ...ok, headers: { Accept: 'application/fhir+xml' } }],
    ['Observation/O1?_format=application/fhir+json', 200, ok],
    ['Observation/O1', 406, { ...ok, headers: { Accept: 'application/fhir+xml' } }],
    ['Observation/O1', 200, { ...ok, headers: { Accept: 'text/html, */*;q=0.1' } }],
    [
      'Observation/O1',
      406,
      { ...ok, headers: { Accept: 'application/fhir+json; fhirVersion=3.0' } },
    ],
    [
      'Observation/O1',
      200,
      { ...ok, headers: { Accept: 'application/fhir+json; fhirVersion=4.0' } },
    ],
    ['Observation/O1?fhirVersion=5.0', 406, ok],
    ['observation/O1', 404, ok],
    ['Nonsense', 404, ok],
    ['Observation/a_b', 404, ok],
    ['Observation/O1/_history/0', 404, ok],
    ['Observation/O1/$everything', 404, ok],
    ['Observation/O1/extra/more', 404, ok],
    ['Observation/O1%2fx', 400, ok],
    ['Observation//O1', 400, ok],
    ['Observation/O1?_pretty=maybe', 400, ok],
  ]
  for (const [path, status, options] of cases) {
    test(`${path} with ${JSON.stringify(options?.headers ?? {})} → ${status}`, async () => {
      const answer = await t.send(path, options)
      assert.equal(answer.status, status, answer.text)
      if (status >= 400) assert.equal(answer.json.resourceType, 'OperationOutcome')
    })
  }

  test('a method that is not offered is 405 and names the ones that are', async () => {
    const patch = await t.send('Observation/O1', { ...ok, method: 'PATCH' })
    assert.equal(patch.status, 405)
    assert.equal(patch.headers.get('allow'), 'GET, HEAD, PUT, DELETE, OPTIONS')
    assert.equal((await t.send('Observation', { ...ok, method: 'DELETE' })).status, 405)
    assert.equal((await t.send('', ok)).status, 405)
    assert.equal((await t.send('metadata', { ...ok, method: 'POST' })).status, 405)
  })

  test('a preflight needs no token and says what may be asked', async () => {
    const answer = await t.send('Observation/O1', {
      method: 'OPTIONS',
      headers: { Origin: 'https://app.example' },
    })
    assert.equal(answer.status, 204)
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    for (const name of ['Authorization', 'If-Match', 'If-None-Exist', 'Prefer', 'Content-Type']) {
      assert.match(answer.headers.get('access-control-allow-headers') ?? '', new RegExp(name))
    }
    const read = await t.send('Observation/O1', {
      ...ok,
      headers: { Origin: 'https://app.example' },
    })
    assert.match(read.headers.get('access-control-expose-headers') ?? '', /ETag.*Location/)
  })

  test('everything but metadata, smart-configuration and preflights needs a token', async () => {
    for (const path of ['Observation/O1', 'Nonsense', 'Observation//x', '']) {
      const answer = await t.send(path, { method: path === '' ? 'POST' : 'GET' })
      assert.equal(answer.status, 401, path)
      assert.equal(answer.headers.get('www-authenticate'), `Bearer realm="${BASE}"`)
      assert.equal(answer.json.issue[0].details.coding[0].code, 'token_missing')
    }
    const inQuery = await t.send('Observation/O1?access_token=x')
    assert.equal(inQuery.status, 401)
    assert.equal(inQuery.json.issue[0].details.coding[0].code, 'token_in_query')
    const twice = await t.send('Observation/O1', {
      headers: { Authorization: 'Bearer a.b.c, Bearer d.e.f' },
    })
    assert.equal(twice.status, 400)
    assert.equal(twice.json.issue[0].details.coding[0].code, 'several_credentials')
  })

  test('a token for somebody else is refused and both audiences are named', async () => {
    const token = t.lab.mintToken({ audience: 'https://other.example', scope: 'system/*.rs' })
    const answer = await t.send('Observation/O1', { headers: { Authorization: `Bearer ${token}` } })
    assert.equal(answer.status, 401)
    assert.match(
      answer.json.issue[0].details.text,
      /https:\/\/other\.example.*expected.*https:\/\/api\.example\/fhir\/r4/,
    )
  })
})
