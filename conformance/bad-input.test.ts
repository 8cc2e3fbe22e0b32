import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import {
  type Answer,
  callerOf,
  EVERYTHING,
  type FhirCaller,
  idsOf,
  linkOf,
  sendRaw,
} from './fhir-caller.ts'
import { FIXTURE, observation } from './fixture.ts'
import type { WrongToken } from './harness.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

/**
 * Input that nobody should send. Each is answered with a clear error within bounded time, and the
 * server answers as before afterwards.
 */
const harness = await openHarness()

const BOUND_MS = 10_000
const JSON_TYPE = { 'content-type': 'application/fhir+json' }

describe('bad input', () => {
  let all: FhirCaller
  let lab: FhirCaller
  let token: string
  let stored: number

  before(async () => {
    await harness.reset(FIXTURE)
    all = await callerOf(harness, EVERYTHING)
    lab = await callerOf(harness, { scope: expand('patient/Observation.rs{LAB}'), patient: 'P1' })
    token = await harness.mint(EVERYTHING)
    stored = (await all('GET Observation?_summary=count')).json.total
  })
  afterEach(async () => {
    const alive = await all('GET Patient/P1')
    assert.equal(alive.status, 200)
    const before = stored
    stored = (await all('GET Observation?_summary=count')).json.total
    assert.equal(stored, before, 'something was stored')
  })
  after(() => harness.close())

  /** The answer, which must come in time and be a clear refusal by the client's fault. */
  async function refused(
    work: () => Promise<Answer>,
    expected: readonly number[],
    where: string,
    names?: string | RegExp,
  ): Promise<Answer> {
    const startMs = performance.now()
    const answer = await work()
    const what = `${where}: ${answer.status} ${answer.text.slice(0, 400)}`
    assert.ok(performance.now() - startMs < BOUND_MS, `${where} took too long`)
    assert.ok(expected.includes(answer.status), what)
    assert.equal(answer.json?.resourceType, 'OperationOutcome', what)
    assert.ok(
      answer.text.length < 40_000,
      `${where}: an answer of ${answer.text.length} characters`,
    )
    for (const issue of answer.json.issue) {
      assert.ok(issue.details.text.length > 10, what)
      assert.ok(issue.diagnostics.includes('correlation id'), what)
    }
    if (names !== undefined)
      assert.match(
        answer.text,
        typeof names === 'string' ? new RegExp(escaped(names)) : names,
        what,
      )
    return answer
  }

  describe('bodies', () => {
    const post =
      (body: string | Uint8Array, type = 'Observation') =>
      async (): Promise<Answer> => {
        const response = await fetch(`${harness.baseUrl}/${type}`, {
          method: 'POST',
          headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
          body: body as BodyInit,
        })
        const text = await response.text()
        return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
      }
    const valid = observation({ patient: 'P1', categories: ['laboratory'] })
    const text = JSON.stringify(valid)
    const withMember = (member: string) => `${text.slice(0, -1)},${member}}`

    test('malformed JSON is 400 and says at which line', async () => {
      for (const broken of [
        '{',
        text.slice(0, -1),
        `${text}}`,
        text.replace(':', '='),
        text.replaceAll('"', "'"),
        withMember('"a":01'),
        withMember('"a":.5'),
        withMember('"a":NaN'),
        withMember('"a":+1'),
        withMember('"a":"\n"'),
        withMember('"a":"\\x"'),
        withMember('"a":"\\u12"'),
        withMember(''),
        withMember('"a":[1,]'),
        withMember('"a":/* c */1'),
        `\u00a0${text}`,
      ])
        await refused(post(broken), [400], broken.slice(-30), /line \d+/)
    })

    test('bytes that are not UTF-8 are 400', async () => {
      for (const bytes of [
        [0xff, 0xfe, 0x7b, 0x7d],
        [...Buffer.from('{"resourceType":"Patient","id":"'), 0xc3, 0x28, 0x22, 0x7d],
        [...Buffer.from('{"resourceType":"Patient","id":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d],
      ])
        await refused(post(Uint8Array.from(bytes)), [400], String(bytes.slice(0, 4)), /UTF-8/)
    })

    test('what is no JSON object is 400', async () => {
      for (const body of [
        'null',
        'true',
        '0',
        '"x"',
        '[]',
        '[{}]',
        '{}',
        '{"resourceType":null}',
        '{"resourceType":["Patient"]}',
        '{"resourceType":"__proto__"}',
        '{"resourceType":"constructor"}',
      ])
        await refused(post(body, 'Patient'), [400], body)
    })

    test('a key that comes twice is 400 and named', async () => {
      await refused(post(withMember('"status":"amended"')), [400], 'top', 'status')
      await refused(
        post(withMember('"subject":{"reference":"Patient/P2"}')),
        [400],
        'subject',
        'subject',
      )
      await refused(
        post(withMember('"note":[{"text":"a","text":"b"}]')),
        [400],
        'inside',
        /note\[0\]/,
      )
      await refused(post(withMember('"st\\u0061tus":"amended"')), [400], 'escaped', 'status')
      await refused(
        post(withMember('"__proto__":{},"__proto__":{}')),
        [400],
        'prototype',
        '__proto__',
      )
    })

    test('an unknown element is 422 and named, at any depth', async () => {
      await refused(post(withMember('"shoeSize":44')), [422], 'top', 'shoeSize')
      await refused(
        post(withMember('"note":[{"text":"a","colour":"red"}]')),
        [422],
        'inside',
        /note\[0\]/,
      )
      for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])
        await refused(post(withMember(`"${name}":{"a":1}`)), [400, 422], name)
      assert.equal(({} as { a?: number }).a, undefined)
    })

    test('a hundred thousand unknown elements are refused with a short answer', async () => {
      const many = Array.from({ length: 100_000 }, (_, index) => `"x${index}":1`).join(',')
      await refused(post(withMember(many)), [400, 413, 422], 'wide')
    })

    test('deep nesting is refused', async () => {
      for (const depth of [200, 5_000, 500_000]) {
        await refused(
          post(withMember(`"a":${'['.repeat(depth)}${']'.repeat(depth)}`)),
          [400, 422],
          `arrays ${depth}`,
        )
        await refused(
          post(withMember(`"a":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)),
          [400, 422],
          `objects ${depth}`,
        )
        await refused(post('['.repeat(depth)), [400], `open arrays ${depth}`)
      }
      const extension = (depth: number): string =>
        `${'{"url":"http://example.org/x","extension":['.repeat(depth)}{"url":"http://example.org/x","valueString":"x"}${']}'.repeat(depth)}`
      await refused(post(withMember(`"extension":[${extension(2000)}]`)), [400, 422], 'extensions')
    })

    test('five megabytes are taken when they are valid and refused in time when not', async () => {
      const big = 'x'.repeat(5 * 1024 * 1024)
      const patient = {
        resourceType: 'Binary',
        contentType: 'text/plain',
        data: Buffer.from(big).toString('base64'),
      }
      const taken = await all('POST Binary', {
        body: patient,
        headers: { prefer: 'return=minimal' },
      })
      assert.equal(taken.status, 201, taken.text.slice(0, 300))
      await refused(post(big), [400], 'not JSON')
      await refused(post(`"${big}"`), [400], 'a string')
      await refused(post(withMember(`"shoeSize":"${big}"`)), [422], 'unknown', 'shoeSize')
      await refused(
        post(withMember(`"status":"${big}"`).replace('"status":"final",', '')),
        [422],
        'code',
        'status',
      )
      await refused(post(`[${'1,'.repeat(2_500_000)}1]`), [400], 'numbers')
      await refused(post(`${' '.repeat(5 * 1024 * 1024)}{`), [400], 'blanks')
      await refused(
        post(withMember(`"note":[${'{"text":"a"},'.repeat(200_000)}{"text":1}]`)),
        [400, 413, 422],
        'many notes',
      )
    })

    test('control characters and NUL inside strings are refused', async () => {
      for (const inside of ['\\u0000', 'a\\u0000b', '\\u0001', '\\u001f', '\\u000b'])
        await refused(post(withMember(`"note":[{"text":"${inside}"}]`)), [400, 422], inside, /note/)
    })

    test('half of a surrogate pair is refused or survives, wherever it stands', async () => {
      for (const member of [
        '"note":[{"text":"\\ud800"}]',
        '"identifier":[{"value":"\\udc00x"}]',
        '"valueString":"\\ud83e"',
        '"subject":{"reference":"Patient/\\ud800"}',
      ]) {
        const body = text.replace('"subject":{"reference":"Patient/P1"},', '').slice(0, -1)
        const answer = await all('POST Observation', { body: `${body},${member}}` })
        assert.ok(
          [201, 400, 422].includes(answer.status),
          `${member} ${answer.status} ${answer.text}`,
        )
        if (answer.status !== 201) continue
        const read = await all(`GET Observation/${answer.json.id}`)
        assert.ok(read.text.includes(member), read.text)
        assert.equal((await all(`DELETE Observation/${answer.json.id}`)).status, 204)
      }
    })

    test('numbers beyond all measure are refused or kept as they are', async () => {
      for (const number of [
        '1e400',
        '-1e400',
        '1e-400',
        '1e999999999',
        '9'.repeat(400),
        `0.${'1'.repeat(5000)}`,
        '-0',
        '1E+2',
        '0.000',
      ])
        for (const member of [
          `"valueQuantity":{"value":${number}}`,
          `"component":[{"code":{"text":"x"},"valueQuantity":{"value":${number}}}]`,
        ]) {
          const answer = await all('POST Observation', { body: withMember(member) })
          assert.ok(
            [201, 400, 422].includes(answer.status),
            `${number.slice(0, 20)} ${answer.status} ${answer.text.slice(0, 300)}`,
          )
          if (answer.status !== 201) continue
          assert.ok(answer.text.includes(number), number.slice(0, 20))
          assert.equal(
            (await all(`GET Observation?_id=${answer.json.id}&value-quantity=gt1`)).status,
            200,
          )
          assert.equal(
            (await all(`GET Observation?_id=${answer.json.id}&_sort=value-quantity`)).status,
            200,
          )
          assert.equal((await all(`DELETE Observation/${answer.json.id}`)).status, 204)
        }
      for (const integer of ['1.5', '2147483648', '-2147483649', '99999999999999999999'])
        await refused(post(withMember(`"valueInteger":${integer}`)), [422], integer, 'valueInteger')
    })

    test('an integer written with an exponent or a point is refused, a decimal is not', async () => {
      for (const integer of ['1e3', '1000.0', '1.5e1', '-0.0'])
        await refused(post(withMember(`"valueInteger":${integer}`)), [422], integer, 'valueInteger')
      const component = '"component":[{"code":{"text":"x"},"valueQuantity":{"value":1.0}}]'
      const sound = { body: withMember(`"valueInteger":1000,${component}`) }
      const stored = await all('POST Observation', sound)
      assert.equal(stored.status, 201, stored.text)
      assert.equal((await all(`DELETE Observation/${stored.json.id}`)).status, 204)
    })

    test('odd dates are refused and named, or searched without harm', async () => {
      for (const date of [
        '2024-02-30',
        '2024-13-01',
        '0000-01-01',
        '2024-1-1',
        '24-01-01',
        '2024-01-01T24:00:00Z',
        '2024-01-01T10:00',
        '2024-01-01 10:00:00Z',
        '2024-01-01T10:00:00',
        '2024-01-01T10:00:00+15:00',
        '10000-01-01',
        '-2024-01-01',
        '2024-W01',
        '',
        ' 2024',
      ])
        await refused(post(withMember(`"issued":"${date}"`)), [422], date, 'issued')
      for (const date of [
        '0001-01-01',
        '9999-12-31',
        '1582-10-10',
        '2016-12-31T23:59:60Z',
        '2024-01-01T00:00:00.123456789012Z',
        '2024-01-01T00:00:00-12:00',
      ]) {
        const body = { ...valid, effectiveDateTime: date }
        const answer = await all('POST Observation', { body })
        assert.ok([201, 422].includes(answer.status), `${date} ${answer.status}`)
        if (answer.status !== 201) continue
        assert.equal(answer.json.effectiveDateTime, date)
        const search = `GET Observation?_id=${answer.json.id}&date=${encodeURIComponent(date)}`
        assert.equal((await all(search)).json.total, 1, date)
        assert.equal((await all(`DELETE Observation/${answer.json.id}`)).status, 204)
      }
    })

    test('a compressed body, another charset and a wrong Content-Type are 415', async () => {
      for (const headers of [
        { 'content-encoding': 'gzip' },
        { 'content-type': 'application/fhir+json; charset=utf-16' },
        { 'content-type': 'application/octet-stream' },
        { 'content-type': 'application/fhir+json/x' },
        { 'content-type': '' },
      ])
        await refused(
          () => all('POST Observation', { body: text, headers }),
          [415],
          JSON.stringify(headers),
        )
    })

    test('a Bundle of nonsense is refused with the place', async () => {
      const send = (bundle: object) => () =>
        all(`POST ${harness.baseUrl}`, { body: { resourceType: 'Bundle', ...bundle } })
      for (const entry of [
        null,
        1,
        'x',
        [],
        {},
        { request: null },
        { request: { method: 'GET' } },
        { request: { method: 'EXPLODE', url: 'Patient/P1' } },
        { request: { method: 'GET', url: 7 } },
        { resource: 7, request: { method: 'POST', url: 'Patient' } },
      ]) {
        const answer = await send({ type: 'batch', entry: [entry] })()
        assert.ok(
          answer.status === 400 ||
            Number.parseInt(answer.json.entry[0].response.status, 10) === 400,
          `${JSON.stringify(entry)} ${answer.text}`,
        )
        await refused(
          send({ type: 'transaction', entry: [entry] }),
          [400],
          JSON.stringify(entry),
          /Bundle\.entry/,
        )
      }
      for (const entry of [7, 'x', {}, null])
        await refused(send({ type: 'batch', entry }), [400], JSON.stringify(entry))
      const many = Array.from({ length: 10_001 }, () => ({
        request: { method: 'GET', url: 'Patient/P1' },
      }))
      await refused(send({ type: 'batch', entry: many }), [413], 'too many entries', '10000')
      for (const url of [
        'http://evil.example/Patient/P1',
        '//evil.example/Patient/P1',
        'Patient/../Observation/O1',
        'Patient/%2e%2e/Observation/O1',
        '/Patient/P1',
        'Patient//P1',
        'Patient/P1#x',
        'Patient\\P1',
        'javascript:alert(1)',
        '',
      ])
        await refused(
          send({ type: 'transaction', entry: [{ request: { method: 'GET', url } }] }),
          [400],
          url,
          /Bundle\.entry\[0\]/,
        )
    })
  })

  describe('searches', () => {
    const get = (search: string) => () => all(`GET ${search}`)
    const post = (form: string) => () =>
      all('POST Observation/_search', {
        body: form,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })

    test('ten thousand parameters or alternatives are refused', async () => {
      await refused(
        post(Array.from({ length: 10_000 }, (_, index) => `code=c${index}`).join('&')),
        [400, 413],
        'parameters',
      )
      await refused(
        post(`code=${Array.from({ length: 10_000 }, (_, index) => `c${index}`).join(',')}`),
        [400],
        'alternatives',
        'code',
      )
      await refused(
        post(Array.from({ length: 90 }, () => `code=${'c,'.repeat(1000)}c`).join('&')),
        [400],
        'product',
        'code',
      )
      await refused(post(`nonsense=1&`.repeat(10_000)), [400], 'unknown')
      await refused(post(`code:not=${'c,'.repeat(5000)}c`), [400], 'not', 'code')
    })

    test('a thousand links of a chain or _has are refused', async () => {
      await refused(post(`${'subject:Patient.link:'.repeat(1000)}Patient.name=x`), [400], 'chain')
      await refused(post(`${'focus.'.repeat(1000)}code=x`), [400], 'untyped chain')
      await refused(post(`${'_has:Observation:has-member:'.repeat(1000)}code=x`), [400], '_has')
      await refused(post(`${'focus.'.repeat(4)}code=x`), [400], 'untyped, wide')
      await refused(get(`Patient?${'_has:Observation:patient:'.repeat(6)}code=x`), [400], 'six')
    })

    test('values of a megabyte are refused', async () => {
      const big = 'x'.repeat(1_000_000)
      for (const name of [
        'code',
        'subject',
        'value-string',
        'date',
        'value-quantity',
        '_id',
        '_sort',
        '_elements',
        '_include',
        '_count',
        '_cursor',
        '_has:Observation:patient:code',
      ])
        await refused(post(`${name}=${big}`), [400, 413], name)
      await refused(post(`${big}=1`), [400, 413], 'a name')
      await refused(post(`code=${'%2C'.repeat(300_000)}`), [400, 413], 'encoded')
      await refused(post('x'.repeat(2_000_000)), [413], 'beyond the limit of a form')
    })

    test('a line too long for a header is refused by the server itself', async () => {
      const response = await fetch(`${harness.baseUrl}/Observation?code=${'x'.repeat(100_000)}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      assert.ok([414, 431].includes(response.status))
    })

    test('NUL, half surrogates and broken percent sequences are refused', async () => {
      for (const value of [
        '%00',
        'a%00b',
        '%ED%A0%80',
        '%C3%28',
        '%FF',
        '%',
        '%4',
        '%zz',
        '%u0041',
      ]) {
        await refused(get(`Observation?code=${value}`), [400], value, 'code')
        await refused(get(`Observation?${value}=x`), [400], value)
        await refused(post(`code=${value}`), [400], value, 'code')
      }
      const noncharacter = await all('GET Observation?code=%EF%BF%BF%F4%8F%BF%BF')
      assert.equal(noncharacter.status, 200)
    })

    test('numbers beyond all measure are answered in time', async () => {
      for (const value of [
        '1e999',
        '1e-999',
        '1e999999999',
        '-1e999',
        '9'.repeat(3000),
        `0.${'0'.repeat(3000)}1`,
        '1e99999999999999999999',
        'ap1e308',
        'lt-1e308',
      ])
        for (const search of [
          `Observation?value-quantity=${value}`,
          `RiskAssessment?probability=${value}`,
        ]) {
          const startMs = performance.now()
          const answer = await all(`GET ${search}`)
          assert.ok(
            [200, 400].includes(answer.status),
            `${search.slice(0, 60)} ${answer.status} ${answer.text.slice(0, 300)}`,
          )
          assert.ok(performance.now() - startMs < BOUND_MS)
        }
    })

    test('odd dates are refused and named, or answered', async () => {
      for (const value of [
        '2024-02-30',
        '2024-00',
        '2024-1',
        '20240101',
        '2024-W01',
        'ge',
        'gele2024',
        '2024-01-01T',
        '2024-01-01T99:00:00Z',
        'now',
        '-2024',
        '10000',
        '2024-01-01T00:00:00%2B24:00',
        '٢٠٢٤',
      ])
        await refused(get(`Observation?date=${value}`), [400], value, 'date')
      for (const value of [
        '0001',
        '9999',
        'lt0001-01-01',
        'gt9999-12-31',
        'ap0001',
        'ap9999',
        '2016-12-31T23:59:60Z',
        '2024-01-01T00:00:00.999999999Z',
      ])
        assert.ok([200, 400].includes((await all(`GET Observation?date=${value}`)).status), value)
    })

    test('text that means something to SQL, LIKE or regular expressions is only text', async () => {
      for (const value of [
        "'; drop table res; --",
        '%',
        '_',
        '%%%%%%%%',
        '\\',
        '\\\\%',
        '((((a+)+)+)+$',
        '.*',
        '$1',
        '{{7*7}}',
        '\u202e',
        '"',
        '`',
        "\\'",
      ]) {
        const text = encodeURIComponent(value)
        for (const search of [
          `Patient?name:contains=${text}`,
          `Patient?name=${text}`,
          `Patient?name:exact=${text}`,
          `Observation?code=${text}`,
          `Observation?identifier=${text}`,
        ]) {
          const answer = await all(`GET ${search}`)
          assert.ok([200, 400].includes(answer.status), `${search} ${answer.status} ${answer.text}`)
          if (answer.status === 200) assert.equal(idsOf(answer).length, 0, search)
        }
      }
    })

    test('result parameters out of range are refused and named', async () => {
      for (const [query, name] of [
        [`_sort=${'date,'.repeat(50)}nonsense`, '_sort'],
        [
          `_sort=date,status,_id,_lastUpdated,value-date,value-string,value-quantity,-status,code-value-date`,
          '_sort',
        ],
        [
          `_elements=${Array.from({ length: 500 }, (_, index) => `e${index}`).join(',')}`,
          '_elements',
        ],
        ['_elements=a.b', '_elements'],
        ['_count=-1', '_count'],
        ['_count=1e3', '_count'],
        ['_count=5&_count=6', '_count'],
        ['_total=most', '_total'],
        ['_summary=yes', '_summary'],
        ['_cursor=AAAA', 'link'],
        ['_include=Observation:subject:Patient:x', '_include'],
        ['_include:loop=Observation:subject', '_include'],
      ] as const)
        await refused(get(`Observation?${query}`), [400], query, name)
    })

    test('a batch or transaction that asks for more than fits gets what fits, or a refusal', async () => {
      const large = {
        ...observation({ patient: 'P1', categories: ['laboratory'] }),
        note: Array.from({ length: 150_000 }, () => ({ text: 'x' })),
      }
      const created: string[] = []
      for (let count = 0; count < 5; count += 1) {
        const answer = await all('POST Observation', {
          body: large,
          headers: { prefer: 'return=minimal' },
        })
        assert.equal(answer.status, 201)
        created.push(/Observation\/[^/]+/.exec(answer.headers.get('location')!)![0])
      }
      const entry = Array.from({ length: 40 }, () => ({
        request: { method: 'GET', url: 'Observation?_include=*&_count=1000' },
      }))
      const bundle = (type: string) => ({ body: { resourceType: 'Bundle', type, entry } })
      const batch = await all(`POST ${harness.baseUrl}`, bundle('batch'))
      assert.equal(batch.status, 200)
      assert.ok(batch.text.length < 150_000_000, String(batch.text.length))
      assert.match(batch.json.entry[0].response.status, /^200/)
      assert.match(batch.json.entry.at(-1).response.status, /^413/)
      await refused(
        () => all(`POST ${harness.baseUrl}`, bundle('transaction')),
        [400, 403, 413],
        'transaction',
      )
      for (const place of created) assert.equal((await all(`DELETE ${place}`)).status, 204)
    })

    test('what cannot be parsed is refused before what it would cost, under a narrow token too', async () => {
      await refused(() => lab('GET Observation?date=yesterday'), [400], 'date', 'date')
      await refused(() => lab('GET Observation?subject:Patient.name=x'), [403], 'chain')
      await refused(() => lab(`GET Condition?date=yesterday`), [403], 'another type')
    })
  })

  describe('tokens', () => {
    const withToken = (authorization: string) => async (): Promise<Answer> => {
      const anybody = await callerOf(harness)
      return anybody('GET Observation/O1', { headers: { authorization } })
    }

    test('tokens that must not be believed are 401, each with its reason', async () => {
      const ways: readonly (readonly [WrongToken, RegExp])[] = [
        ['unsigned', /alg/i],
        ['hmacWithPublicKey', /alg/i],
        ['expired', /expired/i],
        ['notYetValid', /nbf|not.*valid|before/i],
        ['forged', /signature/i],
        ['idToken', /ID token|typ|audience/i],
      ]
      for (const [how, reason] of ways) {
        const wrong = await harness.mintWrong(how, EVERYTHING)
        const answer = await refused(withToken(`Bearer ${wrong}`), [401], how, reason)
        assert.match(
          answer.headers.get('www-authenticate') ?? '',
          /^Bearer .*error="invalid_token"/,
        )
        assert.ok(!answer.text.includes(wrong) && !answer.text.includes(wrong.split('.')[1]!), how)
      }
    })

    test('a token for another audience is 401 and names both', async () => {
      const other = await harness.mint({ ...EVERYTHING, audience: 'https://other.example/fhir' })
      const answer = await refused(
        withToken(`Bearer ${other}`),
        [401],
        'audience',
        'https://other.example/fhir',
      )
      assert.ok(answer.text.includes(harness.baseUrl))
      for (const audience of [
        `${harness.baseUrl}/Patient`,
        harness.baseUrl.replace('/r4', ''),
        harness.baseUrl.toUpperCase(),
        `${harness.baseUrl}.evil.example`,
      ])
        await refused(
          withToken(`Bearer ${await harness.mint({ ...EVERYTHING, audience })}`),
          [401],
          audience,
        )
    })

    test('what is no bearer token is 401', async () => {
      for (const header of [
        'Bearer',
        'Bearer ',
        'Bearer x',
        'Bearer a.b.c',
        'Bearer ..',
        `Bearer ${token} ${token}`,
        `Bearer ${token},x`,
        `Basic ${token}`,
        token,
        `bearer${token}`,
        `Bearer ${'a'.repeat(20_000)}`,
        `Bearer ${'a.'.repeat(2000)}`,
        `DPoP ${token}`,
      ]) {
        const answer = await refused(withToken(header), [400, 401], header.slice(0, 40))
        assert.ok(!answer.text.includes(token))
      }
      assert.equal(
        (await withToken(`bearer ${token}`)()).status,
        200,
        'the scheme is case-insensitive',
      )
    })

    test('a token in the address or the form is not taken', async () => {
      const anybody = await callerOf(harness)
      for (const name of ['access_token', 'token', 'bearer']) {
        const answer = await refused(
          () => anybody(`GET Observation?${name}=${token}`),
          [400, 401],
          name,
        )
        assert.ok(!answer.text.includes(token))
      }
      await refused(
        () =>
          anybody('POST Observation/_search', {
            body: `access_token=${token}`,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          }),
        [400, 401],
        'form',
      )
    })

    test('two Authorization headers are refused, whichever of them is good', async () => {
      for (const [first, second] of [
        [token, 'x'],
        ['x', token],
        [token, token],
      ] as const) {
        const raw = request('GET /fhir/r4/Observation/O1', [
          `Authorization: Bearer ${first}`,
          `Authorization: Bearer ${second}`,
        ])
        const answer = await refused(
          () => sendRaw(harness.baseUrl, raw),
          [400, 401],
          'two',
          /authorization/i,
        )
        assert.ok(!answer.text.includes(token))
      }
    })
  })

  describe('requests as bytes', () => {
    const authorized = () => `Authorization: Bearer ${token}`
    const send = (line: string, headers: readonly string[] = [], body = '') =>
      sendRaw(harness.baseUrl, request(line, [authorized(), ...headers], body))
    /** Below the base an outcome; elsewhere plain problems (RFC 9457), or nothing for no request at all. */
    async function refusedLine(line: string, headers: readonly string[] = []): Promise<void> {
      const answer = await send(line, headers)
      assert.ok([400, 404, 405].includes(answer.status), `${line} ${answer.status} ${answer.text}`)
      if (/^\S+ \/fhir\/r4\//.test(line) && answer.text !== '')
        assert.equal(answer.json.resourceType, 'OperationOutcome', `${line} ${answer.text}`)
      const told = answer.json?.detail ?? answer.json?.issue[0].details.text
      assert.ok(
        told === undefined ? answer.text === '' : told.length > 10,
        `${line} ${answer.text}`,
      )
    }

    test('an absolute request target is read by its path; its authority means nothing', async () => {
      for (const authority of [
        'http://evil.example',
        `http://127.0.0.1`,
        'https://evil.example:444',
        'HTTP://user:password@evil.example',
      ]) {
        const answer = await send(`GET ${authority}/fhir/r4/Observation?_count=1`)
        assert.equal(answer.status, 200, answer.text)
        assert.ok(linkOf(answer, 'self')!.startsWith(harness.baseUrl))
        assert.ok(!answer.text.includes('evil'))
      }
      await refusedLine('GET http://evil.example')
      await refusedLine('GET ftp://127.0.0.1/fhir/r4/Patient/P1')
      await refusedLine('GET evil.example:80')
      await refusedLine('OPTIONS *')
    })

    test('dot segments, doubled and encoded separators are refused', async () => {
      for (const path of [
        '/fhir/r4/Condition/../Observation/O1',
        '/fhir/r4/./Observation/O1',
        '/fhir/r4/Condition/%2e%2e/Observation/O1',
        '/fhir/r4/Condition/%2E%2e/Observation/O1',
        '/fhir/r4/Condition/.%2e/Observation/O1',
        '/x/../fhir/r4/Observation/O1',
        '/fhir/r4//Observation/O1',
        '//fhir/r4/Observation/O1',
        '/fhir/r4/Observation%2fO1',
        '/fhir/r4/Observation\\O1',
        '/fhir/r4/Observation%5CO1',
        '/fhir/r4/Observation/O1%00',
        '/fhir/r4/Observation/O1%',
        '/fhir/r4/Observation/O1;x=1',
        '/fhir/r4/Observation/O1%0d%0aX:1',
        '/fhir/r4evil/Observation/O1',
        '/FHIR/r4/Observation/O1',
        '/fhir/r4/Observation/..',
        '/fhir/r4/Observation/%2e',
      ])
        await refusedLine(`GET ${path}`)
    })

    test('the Host and forwarding headers do not show in any address', async () => {
      const body = JSON.stringify(observation({ patient: 'P1', categories: ['laboratory'] }))
      for (const headers of [
        ['Host: evil.example'],
        ['Host: evil.example:81', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https'],
        [
          'Host: x',
          'Forwarded: host=evil.example;proto=https',
          'X-Original-URL: /fhir/r4/evil',
          'X-Rewrite-URL: /evil',
        ],
        ['Host: x', 'X-Forwarded-Prefix: /evil', 'X-Forwarded-Port: 666'],
      ]) {
        const raw = (line: string, more: readonly string[] = [], sent = '') =>
          sendRaw(harness.baseUrl, rawRequest(line, [...headers, authorized(), ...more], sent))
        const created = await raw(
          'POST /fhir/r4/Observation',
          ['Content-Type: application/fhir+json'],
          body,
        )
        assert.equal(created.status, 201, created.text)
        for (const name of ['location', 'content-location'])
          assert.ok(created.headers.get(name)?.startsWith(`${harness.baseUrl}/Observation/`), name)
        const found = await raw('GET /fhir/r4/Observation?_count=1')
        for (const place of [
          linkOf(found, 'self')!,
          linkOf(found, 'next')!,
          found.json.entry[0].fullUrl,
        ])
          assert.ok(place.startsWith(`${harness.baseUrl}/`), place)
        const metadata = await raw('GET /fhir/r4/metadata')
        assert.ok(!metadata.text.includes('evil'))
        assert.equal((await all(`DELETE Observation/${created.json.id}`)).status, 204)
      }
    })

    test('a method that is overridden by a header stays what it was', async () => {
      const headers = [
        'X-HTTP-Method-Override: DELETE',
        'X-Method-Override: DELETE',
        'X-HTTP-Method: DELETE',
      ]
      assert.equal((await send('GET /fhir/r4/Observation/O1', headers)).status, 200)
      assert.equal((await send('GET /fhir/r4/Observation/O1?_method=DELETE', headers)).status, 200)
      assert.equal((await all('GET Observation/O1')).status, 200)
    })

    test('requests that could be read in two ways are refused', async () => {
      for (const [line, headers] of [
        ['GET /fhir/r4/Patient/P1', ['Host: x', 'Host: y']],
        ['POST /fhir/r4/Patient', ['Host: x', 'Content-Length: 2', 'Transfer-Encoding: chunked']],
        ['POST /fhir/r4/Patient', ['Host: x', 'Content-Length: 2', 'Content-Length: 3']],
        ['GET /fhir/r4/Patient/P1', []],
        ['GET /fhir/r4/Patient/P1', ['Host: x', 'Bad Header: x']],
        ['GET /fhir/r4/Patient/P1', ['Host: x', 'X-A: a\0b']],
        ['NONSENSE /fhir/r4/Patient/P1', ['Host: x']],
      ] as const) {
        const answer = await sendRaw(harness.baseUrl, rawRequest(line, [...headers, authorized()]))
        assert.ok([400, 405, 501].includes(answer.status), `${line} ${headers} ${answer.status}`)
      }
    })

    test('a caller that goes away in the middle of its body harms nobody', async () => {
      await assert.rejects(async () => {
        const abort = new AbortController()
        const body = new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"resourceType":'))
            setTimeout(() => abort.abort(), 100)
          },
        })
        await fetch(`${harness.baseUrl}/Observation`, {
          method: 'POST',
          signal: abort.signal,
          headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
          body,
          duplex: 'half',
        } as RequestInit)
      })
    })
  })
})

/** A request with a harmless Host. */
function request(line: string, headers: readonly string[], body = ''): string {
  return rawRequest(line, ['Host: 127.0.0.1', ...headers], body)
}

function rawRequest(line: string, headers: readonly string[], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  return [`${line} HTTP/1.1`, ...headers, ...length, 'Connection: close', '', body].join('\r\n')
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
