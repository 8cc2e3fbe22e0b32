import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callerOf, EVERYTHING, type FhirCaller, idsOf, sendRaw } from './fhir-caller.ts'
import { FIXTURE, observation } from './fixture.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

// http.html: #general, #mime-type, #versions, #summary. Items 1 to 12.
const harness = await openHarness()

describe('general, headers, content', () => {
  let all: FhirCaller
  let anybody: FhirCaller
  /** Reads and searches the laboratory results of P1, and writes them. */
  let lab: FhirCaller

  before(async () => {
    await harness.reset(FIXTURE)
    all = await callerOf(harness, EVERYTHING)
    anybody = await callerOf(harness)
    lab = await callerOf(harness, {
      scope: expand('patient/Observation.cruds{LAB}'),
      patient: 'P1',
    })
  })
  after(() => harness.close())

  test('1 a slash at the end of the base makes no difference', async () => {
    const batch = { resourceType: 'Bundle', type: 'batch' }
    for (const base of [harness.baseUrl, `${harness.baseUrl}/`]) {
      const answer = await all(`POST ${base}`, { body: batch })
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.json.type, 'batch-response')
    }
  })

  test('1 types and ids are case-sensitive', async () => {
    for (const path of ['patient/P1', 'PATIENT/P1', 'Patient/p1', 'observation?_count=1'])
      assert.equal((await all(`GET ${path}`)).status, 404, path)
  })

  test('1 an id has 1 to 64 characters of A-Z, a-z, 0-9, hyphen and dot', async () => {
    for (const id of ['a_b', 'a%20b', 'é', 'x'.repeat(65), 'a|b', "a'b", 'a%3Bb']) {
      const path = `Patient/${id}`
      const answer = await all(`GET ${path}`)
      assert.ok(answer.status === 404 || answer.status === 400, `${path} ${answer.status}`)
      const put = await all(`PUT ${path}`, {
        body: { resourceType: 'Patient', id: decodeURIComponent(id) },
      })
      assert.ok([400, 404, 405, 422].includes(put.status), `PUT ${path} ${put.status}`)
    }
    const id = `A-z.9${'x'.repeat(59)}`
    assert.equal(
      (await all(`PUT Patient/${id}`, { body: { resourceType: 'Patient', id } })).status,
      201,
    )
    assert.equal((await all(`GET Patient/${id}`)).json.id, id)
    assert.equal((await all(`DELETE Patient/${id}`)).status, 204)
  })

  test('2 answers are application/fhir+json in UTF-8, however JSON is asked for', async () => {
    const wishes: readonly (readonly [path: string, accept: string])[] = [
      ['Patient/P1', 'application/fhir+json'],
      ['Patient/P1', 'application/json'],
      ['Patient/P1', 'text/json'],
      ['Patient/P1', '*/*'],
      ['Patient/P1', 'text/html;q=0.9, application/fhir+json;q=0.5'],
      ['Patient/P1', 'application/fhir+json; fhirVersion=4.0'],
      ['Patient/P1?_format=json', 'application/fhir+xml'],
      ['Patient/P1?_format=application/fhir%2Bjson', 'text/turtle'],
      ['Patient/P1?_format=application/fhir+json', 'text/turtle'],
      ['Patient/P1?_format=text/json', '*/*'],
      ['Patient?_format=json', 'application/fhir+xml'],
    ]
    for (const [path, accept] of wishes) {
      const answer = await all(`GET ${path}`, { headers: { accept } })
      assert.equal(answer.status, 200, `${path} ${accept} ${answer.text}`)
      assert.match(
        answer.headers.get('content-type') ?? '',
        /^application\/fhir\+json; ?charset=utf-8$/i,
      )
    }
  })

  test('3 formats that are not spoken are refused: 406 to read, 415 to send, 400 when broken', async () => {
    for (const format of ['xml', 'ttl', 'application/fhir%2Bxml', 'text/turtle', 'html'])
      assert.equal((await all(`GET Patient/P1?_format=${format}`)).status, 406, format)
    for (const accept of [
      'application/fhir+xml',
      'text/turtle',
      'text/html',
      'application/fhir+json;q=0',
    ])
      assert.equal((await all('GET Patient/P1', { headers: { accept } })).status, 406, accept)
    const body = '{"resourceType":"Patient"}'
    for (const type of [
      'application/fhir+xml',
      'text/plain',
      'application/x-www-form-urlencoded',
      'nonsense',
    ])
      assert.equal(
        (await all('POST Patient', { body, headers: { 'content-type': type } })).status,
        415,
        type,
      )
    for (const broken of [
      '{"resourceType":"Patient"',
      'Patient',
      '{} {}',
      "{'resourceType':'Patient'}",
      '[]',
    ])
      assert.equal((await all('POST Patient', { body: broken })).status, 400, broken)
  })

  test('4 FHIR 4.0 may be asked for by name, another version is refused', async () => {
    for (const version of ['4.0', '4.0.1']) {
      const accept = `application/fhir+json; fhirVersion=${version}`
      assert.equal((await all('GET Patient/P1', { headers: { accept } })).status, 200, version)
      assert.equal((await all(`GET Patient/P1?fhirVersion=${version}`)).status, 200, version)
    }
    const body = '{"resourceType":"Patient"}'
    for (const version of ['3.0', '5.0', '4.3', '4']) {
      const type = `application/fhir+json; fhirVersion=${version}`
      assert.equal(
        (await all('GET Patient/P1', { headers: { accept: type } })).status,
        406,
        version,
      )
      const sent = await all('POST Patient', { body, headers: { 'content-type': type } })
      assert.equal(sent.status, 415, version)
    }
  })

  test('5 every refusal carries an OperationOutcome that says what is wrong', async () => {
    const refusals: readonly (readonly [number, string, unknown?])[] = [
      [400, 'GET Observation?date=yesterday'],
      [400, 'POST Patient', '{'],
      [404, 'GET Patient/nobody'],
      [404, 'GET Nonsense/1'],
      [405, 'PATCH Patient/P1', '[]'],
      [406, 'GET Patient/P1?_format=xml'],
      [410, 'GET Observation/O9'],
      [422, 'POST Patient', { resourceType: 'Patient', birthDate: 'soon' }],
    ]
    for (const [status, request, body] of refusals) {
      const answer = await all(request, { body })
      assert.equal(answer.status, status, `${request} ${answer.text}`)
      assert.equal(answer.json.resourceType, 'OperationOutcome', request)
      const [issue] = answer.json.issue
      assert.ok(issue.severity === 'error' || issue.severity === 'fatal', request)
      assert.match(issue.code, /^[a-z-]+$/)
      assert.ok(issue.diagnostics.includes(answer.headers.get('x-request-id')), request)
    }
    const invalid = await all('POST Patient', {
      body: { resourceType: 'Patient', birthDate: 'soon' },
    })
    assert.deepEqual(invalid.json.issue[0].expression, ['Patient.birthDate'])
    const nobody = await anybody('GET Patient/P1')
    assert.equal(nobody.status, 401)
    assert.equal(nobody.json.resourceType, 'OperationOutcome')
    assert.match(nobody.headers.get('www-authenticate') ?? '', /^Bearer /)
  })

  test('5 (S) a refusal tells nothing of what the token cannot see', async () => {
    // O2 is a vital sign, O5 that of another patient; nobody was ever called `nope`.
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const texts = new Set<string>()
      for (const id of ['O2', 'O5', 'nope']) {
        const body =
          method === 'PUT'
            ? observation({ id, patient: 'P1', categories: ['laboratory'], code: '1-8' })
            : undefined
        const answer = await lab(`${method} Observation/${id}`, { body })
        assert.equal(answer.status, method === 'PUT' ? 405 : 404, answer.text)
        texts.add(answer.text.replaceAll(answer.headers.get('x-request-id')!, ''))
      }
      assert.equal(texts.size, 1, `${method} ${[...texts].join('\n')}`)
    }
  })

  test('6 _pretty sets the answer in lines', async () => {
    const plain = await all('GET Patient/P1')
    const pretty = await all('GET Patient/P1?_pretty=true')
    assert.ok(!plain.text.includes('\n'))
    assert.ok(pretty.text.includes('\n'))
    assert.deepEqual(pretty.json, plain.json)
  })

  test('6 _summary and _elements trim, mark SUBSETTED, and keep what is mandatory', async () => {
    const tagged = (json: { meta: { tag?: readonly { code: string }[] } }) =>
      (json.meta.tag ?? []).some(({ code }) => code === 'SUBSETTED')
    const whole = await all('GET Observation/O1')
    assert.ok(!tagged(whole.json))
    const read = async (query: string) => {
      const direct = await all(`GET Observation/O1?${query}`)
      const found = await all(`GET Observation?_id=O1&${query}`)
      assert.deepEqual(found.json.entry[0].resource, direct.json, query)
      return direct.json
    }
    const summary = await read('_summary=true')
    assert.ok(tagged(summary))
    for (const element of ['status', 'code', 'subject', 'encounter', 'effectiveDateTime'])
      assert.ok(element in summary, element)
    assert.ok(!('category' in summary))
    const elements = await read('_elements=subject')
    assert.ok(tagged(elements))
    assert.deepEqual(Object.keys(elements).sort(), [
      'code',
      'id',
      'meta',
      'resourceType',
      'status',
      'subject',
    ])
    const text = await read('_summary=text')
    assert.deepEqual(Object.keys(text).sort(), ['code', 'id', 'meta', 'resourceType', 'status'])
    const data = await read('_summary=data')
    assert.ok(tagged(data) && 'category' in data && !('text' in data))
    assert.deepEqual(await read('_summary=false'), whole.json)
    const count = await all('GET Observation?_summary=count')
    assert.ok(count.json.total > 0 && count.json.entry === undefined)
    assert.equal((await all('GET Observation/O1?_summary=most')).status, 400)
  })

  test('6 (S) leaving elements out does not bring hidden resources in', async () => {
    for (const query of ['_elements=subject', '_summary=true', '_summary=text', '_elements=id']) {
      const answer = await lab(`GET Observation?${query}`)
      assert.equal(answer.status, 200)
      assert.deepEqual(
        [...idsOf(answer)].sort(),
        ['O1', 'O10', 'O3', 'O8'].map((id) => `Observation/${id}`),
        query,
      )
      assert.equal((await lab(`GET Observation/O2?${query}`)).status, 404)
    }
  })

  test('7 HEAD answers as GET does, without a body', async () => {
    for (const path of [
      'Patient/P1',
      'Patient?_count=1&_sort=_id',
      'Patient/P1/_history',
      'metadata',
      'Patient/nobody',
      'Observation/O9',
    ]) {
      const get = await all(`GET ${path}`)
      const head = await all(`HEAD ${path}`)
      assert.equal(head.status, get.status, path)
      assert.equal(head.text, '')
      for (const name of ['etag', 'last-modified', 'content-type', 'cache-control', 'vary'])
        assert.equal(head.headers.get(name), get.headers.get(name), `${path} ${name}`)
    }
  })

  test('7 a page of another origin may ask, send the headers of FHIR, and read those of the answer', async () => {
    const preflight = await anybody('OPTIONS Patient/P1', {
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers':
          'authorization,if-match,if-none-exist,prefer,content-type',
      },
    })
    assert.ok(preflight.status === 204 || preflight.status === 200)
    const allowed = (preflight.headers.get('access-control-allow-headers') ?? '').toLowerCase()
    for (const name of ['authorization', 'if-match', 'if-none-exist', 'prefer', 'content-type'])
      assert.ok(allowed === '*' || allowed.split(/, ?/).includes(name), name)
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PUT/)
    const answer = await all('GET Patient/P1', { headers: { origin: 'https://app.example' } })
    assert.ok(
      ['*', 'https://app.example'].includes(
        answer.headers.get('access-control-allow-origin') ?? '',
      ),
    )
    assert.equal(answer.headers.get('access-control-allow-credentials'), null)
    const exposed = (answer.headers.get('access-control-expose-headers') ?? '').toLowerCase()
    for (const name of ['etag', 'location', 'content-location'])
      assert.ok(exposed.split(/, ?/).includes(name), name)
    const refused = await anybody('GET Patient/P1', { headers: { origin: 'https://app.example' } })
    assert.equal(refused.status, 401)
    assert.notEqual(refused.headers.get('access-control-allow-origin'), null)
  })

  test('8 X-Request-Id is echoed, or made', async () => {
    const echoed = await all('GET Patient/P1', { headers: { 'x-request-id': 'abc-123.X' } })
    assert.equal(echoed.headers.get('x-request-id'), 'abc-123.X')
    const made = await all('GET Patient/P1')
    assert.match(made.headers.get('x-request-id') ?? '', /^[\w.-]{8,}$/)
    const strange = await all('GET Patient/P1', {
      headers: { 'x-request-id': 'a"b<script>'.repeat(40) },
    })
    assert.match(strange.headers.get('x-request-id') ?? '', /^[\w.-]{8,128}$/)
  })

  test('8 read, vread, create and update carry Date, Last-Modified and a weak ETag', async () => {
    const body = observation({ patient: 'P1', categories: ['laboratory'] })
    const created = await all('POST Observation', { body })
    const { id } = created.json
    const answers = [
      created,
      await all(`GET Observation/${id}`),
      await all(`GET Observation/${id}/_history/1`),
      await all(`PUT Observation/${id}`, { body: { ...body, id, status: 'amended' } }),
    ]
    for (const [index, { headers, json }] of answers.entries()) {
      assert.equal(headers.get('etag'), `W/"${json.meta.versionId}"`, String(index))
      const modified = Date.parse(headers.get('last-modified') ?? '')
      assert.equal(modified, Math.floor(Date.parse(json.meta.lastUpdated) / 1000) * 1000)
      assert.ok(Math.abs(Date.parse(headers.get('date') ?? '') - Date.now()) < 60_000)
    }
  })

  test('9 Prefer return is honoured on create and update; the resource is the default', async () => {
    const body = observation({ patient: 'P1', categories: ['laboratory'] })
    const { id } = (await all('POST Observation', { body })).json
    let version = 1
    for (const request of ['POST Observation', `PUT Observation/${id}`])
      for (const wish of [undefined, 'representation', 'minimal', 'OperationOutcome']) {
        version += 1
        const note = [{ text: `version ${version}` }]
        const answer = await all(request, {
          body: request.startsWith('PUT') ? { ...body, id, note } : body,
          ...(wish === undefined ? {} : { headers: { prefer: `return=${wish}` } }),
        })
        assert.ok(answer.status === 201 || answer.status === 200)
        assert.ok(answer.headers.has('etag'))
        const got = answer.json?.resourceType
        const expected =
          wish === 'minimal' ? undefined : wish === 'OperationOutcome' ? wish : 'Observation'
        assert.equal(got, expected, `${request} ${wish}`)
      }
  })

  test('9 Prefer return is honoured in a transaction', async () => {
    for (const [wish, expected] of [
      ['minimal', undefined],
      ['representation', 'Patient'],
      ['OperationOutcome', undefined],
    ]) {
      const answer = await all(`POST ${harness.baseUrl}`, {
        headers: { prefer: `return=${wish}` },
        body: {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [
            { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
          ],
        },
      })
      const [entry] = answer.json.entry
      assert.equal(entry.resource?.resourceType, expected, wish)
      assert.equal(
        entry.response.outcome?.resourceType,
        wish === 'OperationOutcome' ? wish : undefined,
      )
    }
  })

  test('10 an unknown type or path is 404, another method 405 with Allow', async () => {
    for (const path of [
      'Observaton',
      'Observaton/1',
      'nonsense',
      'Patient/P1/x/y',
      'Patient/P1/Observation',
      '_history/1',
      'Patient/P1/_history/1/x',
    ])
      assert.equal((await all(`GET ${path}`)).status, 404, path)
    for (const [request, allowed] of [
      ['DELETE Patient', 'GET'],
      ['PUT Patient', 'POST'],
      ['POST Patient/P1', 'PUT'],
      ['PATCH Patient/P1', 'GET'],
      ['POST metadata', 'GET'],
      ['DELETE Patient/P1/_history/1', 'GET'],
      ['GET Patient/_search', 'POST'],
    ] as const) {
      const answer = await all(request)
      assert.equal(answer.status, 405, request)
      assert.ok(
        answer.headers.get('allow')?.split(', ').includes(allowed),
        `${request} ${answer.headers.get('allow')}`,
      )
    }
  })

  test('11 what was sent comes back byte for byte, but for id and meta', async () => {
    const inside =
      '"status":"final" ,\n  "code": {"text":"\\u00e9\\/ \\ud83e\\ude7a"},"referenceRange":[{"low":{"value":1.00},"high":{"value":0.1234567890123456789012}}],' +
      '"valueQuantity":{"unit":"mg","value":10.50,"_value":{"id":"x"}}, "effectiveDateTime":"2020-01"'
    const created = await all('POST Observation', {
      body: `{"resourceType":"Observation",${inside}}`,
    })
    assert.equal(created.status, 201, created.text)
    const { id } = created.json
    const read = await all(`GET Observation/${id}`)
    assert.ok(read.text.includes(inside), read.text)
    assert.ok((await all(`GET Observation/${id}/_history/1`)).text.includes(inside))
    assert.ok((await all(`GET Observation?_id=${id}`)).text.includes(inside))
    assert.ok((await all(`GET Observation/${id}/_history`)).text.includes(inside))
    const pretty = await all(`GET Observation/${id}?_pretty=true`)
    assert.ok(pretty.text.includes('1.00') && pretty.text.includes('0.1234567890123456789012'))
    const meta = '"meta":{"profile":["http://example.org/p"],"versionId":"77"},"id":"mine",'
    const kept = await all('POST Observation', {
      body: `{${meta}"resourceType":"Observation",${inside}}`,
    })
    assert.ok(kept.text.includes(inside))
    assert.equal(kept.json.meta.versionId, '1')
    assert.deepEqual(kept.json.meta.profile, ['http://example.org/p'])
  })

  test('12 Unicode, primitive extensions and contained resources survive', async () => {
    const body = {
      resourceType: 'Patient',
      contained: [{ resourceType: 'Organization', id: 'org', name: 'Ärzte 医院 \u{1fa7a}' }],
      managingOrganization: { reference: '#org' },
      name: [
        {
          family: 'Łuçásievič',
          given: ['Ana', null],
          _given: [null, { extension: [{ url: 'http://example.org/x', valueString: 'e\u0301' }] }],
        },
      ],
      birthDate: '1970-03',
      _birthDate: {
        extension: [{ url: 'http://example.org/y', valueDateTime: '1970-03-01T00:00:00+14:00' }],
      },
    }
    const created = await all('POST Patient', { body })
    assert.equal(created.status, 201, created.text)
    const { id, meta, ...rest } = (await all(`GET Patient/${created.json.id}`)).json
    assert.ok(id && meta)
    assert.deepEqual(rest, body)
    assert.deepEqual(idsOf(await all('GET Patient?family=%C5%82ucasie')), [`Patient/${id}`])
  })

  test('12 an attachment of more than a megabyte survives', async () => {
    const data = Buffer.alloc(1_500_000, 'x').toString('base64')
    const body = { resourceType: 'Binary', contentType: 'text/plain', data }
    const created = await all('POST Binary', { body, headers: { prefer: 'return=minimal' } })
    assert.equal(created.status, 201, created.text.slice(0, 300))
    const location = created.headers.get('location')!
    assert.equal((await all(`GET ${location}`)).json.data, data)
  })

  test('12 a body above the limit is refused with 413', async () => {
    const declared = await sendRaw(
      harness.baseUrl,
      `POST /fhir/r4/Patient HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${await harness.mint(EVERYTHING)}\r\nContent-Type: application/fhir+json\r\nContent-Length: 999999999\r\n\r\n{`,
    )
    assert.equal(declared.status, 413)
    assert.equal(declared.json.resourceType, 'OperationOutcome')
  })
})
