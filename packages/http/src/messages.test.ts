import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  checkRequestTarget,
  correlationIdOf,
  corsHeaders,
  isLoopback,
  newCorrelationId,
  parseAccept,
  parseForm,
  parseMediaType,
  preflight,
  problemResponse,
  readBody,
} from '@scopegate/http'
import fc from 'fast-check'

describe('forms', () => {
  test('say what was sent, in order, and what was sent twice', () => {
    assert.deepEqual(parseForm('a=1&b=x+y&a=%C3%A5&&c'), {
      ok: true,
      pairs: [
        ['a', '1'],
        ['b', 'x y'],
        ['a', 'å'],
        ['c', ''],
      ],
      duplicates: ['a'],
    })
    assert.deepEqual(parseForm(''), { ok: true, pairs: [], duplicates: [] })
  })
  test('are refused when broken, without repeating the value', () => {
    assert.deepEqual(parseForm('a=1&client_secret=%zz'), {
      ok: false,
      reason: 'encoding',
      at: 'client_secret',
    })
    assert.equal(parseForm('a=%C3').ok, false)
    assert.equal(parseForm('a=%00').ok, false)
    assert.deepEqual(parseForm('%zz=1'), { ok: false, reason: 'encoding', at: 'parameter 1' })
    assert.deepEqual(parseForm('a&b&c', 2), { ok: false, reason: 'too-many', at: '2' })
  })
  test('read back what URLSearchParams writes', () => {
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((s) => !s.includes('\0') && s.isWellFormed())
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (pairs) => {
        const parsed = parseForm(new URLSearchParams(pairs).toString())
        assert.ok(parsed.ok)
        assert.deepEqual(
          parsed.pairs.map((pair) => [...pair]),
          pairs,
        )
      }),
    )
  })
})

describe('media types', () => {
  test('have a type in lower case and parameters', () => {
    const media = parseMediaType('Application/FHIR+json; Charset="utf-8"; fhirVersion=4.0')
    assert.equal(media?.type, 'application/fhir+json')
    assert.deepEqual(
      [...(media?.parameters ?? [])],
      [
        ['charset', 'utf-8'],
        ['fhirversion', '4.0'],
      ],
    )
    for (const wrong of ['json', '', 'a/b/c', 'a/b; c', 'a/b; c=1; c=2', null]) {
      assert.equal(parseMediaType(wrong), undefined, String(wrong))
    }
  })
  test('are accepted by weight', () => {
    assert.deepEqual(
      parseAccept('text/html;q=0.5, application/json, */*;q=0').map(({ type, quality }) => [
        type,
        quality,
      ]),
      [
        ['application/json', 1],
        ['text/html', 0.5],
        ['*/*', 0],
      ],
    )
  })
})

describe('bodies', () => {
  const body = (text: string | Uint8Array, headers = {}) =>
    new Request('http://a', { method: 'POST', body: text as BodyInit, headers })
  test('are read whole up to the limit, and not a byte beyond', async () => {
    assert.deepEqual(await readBody(body('å'), { limitBytes: 2 }), {
      ok: true,
      text: 'å',
      bytes: 2,
    })
    const large = await readBody(body('xxx'), { limitBytes: 2 })
    assert.deepEqual(large, { ok: false, problem: { reason: 'too-large', limitBytes: 2 } })
    assert.equal((await readBody(new Request('http://a'), { limitBytes: 2 })).ok, true)
  })
  test('stop an endless stream at the limit', async () => {
    let pulled = 0
    const stream = new ReadableStream({
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(1000))
      },
    })
    const request = new Request('http://a', {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit)
    const read = await readBody(request, { limitBytes: 10_000 })
    assert.equal(read.ok, false)
    assert.ok(pulled < 20)
  })
  test('must be UTF-8, as they are', async () => {
    const latin = await readBody(body(new Uint8Array([0xe5])), { limitBytes: 9 })
    assert.deepEqual(latin, { ok: false, problem: { reason: 'not-utf-8' } })
    const packed = await readBody(body('x', { 'Content-Encoding': 'gzip' }), { limitBytes: 9 })
    assert.deepEqual(packed, { ok: false, problem: { reason: 'encoded', encoding: 'gzip' } })
  })
})

describe('correlation ids', () => {
  test("are the caller's when sane, else new, sortable and never twice", () => {
    const of = (id: string) =>
      correlationIdOf(new Request('http://a', { headers: { 'X-Request-Id': id } }), 1)
    assert.equal(of('req-12345678'), 'req-12345678')
    for (const wrong of ['short', 'x'.repeat(65), '<script>alert(1)</script>', '-leading-dash']) {
      assert.notEqual(of(wrong), wrong)
    }
    const ids = Array.from({ length: 5000 }, () => newCorrelationId(1_800_000_000_000))
    assert.equal(new Set(ids).size, 5000)
    assert.ok(ids.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)))
    assert.ok(newCorrelationId(1000) < newCorrelationId(2000))
  })
})

test('request targets have one meaning', () => {
  assert.deepEqual(checkRequestTarget('/a/b?c=//..'), { ok: true, originForm: '/a/b?c=//..' })
  assert.deepEqual(checkRequestTarget('https://x.example'), {
    ...{ ok: true, originForm: '/', authority: 'x.example' },
  })
  assert.deepEqual(checkRequestTarget('/.well-known/x'), { ok: true, originForm: '/.well-known/x' })
  for (const wrong of [
    '/..',
    '/a/./b',
    '/a/.%2E/b',
    'a',
    '*',
    'ftp://x/',
    '/a b',
    '/a\u0000',
    '/a%2Fb',
    '/a#b',
  ]) {
    assert.equal(checkRequestTarget(wrong).ok, false, wrong)
  }
})

test('loopback is what cannot be reached from elsewhere', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost'])
    assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.example.org'])
    assert.ok(!isLoopback(host), host)
})

test('other origins get what the policy says and nothing when it does not', () => {
  const policy = {
    origins: ['https://a.example'],
    methods: ['GET'],
    requestHeaders: ['Authorization'],
    exposedHeaders: ['ETag'],
    maxAgeSeconds: 60,
  }
  const from = (origin: string) => new Request('http://x', { headers: { Origin: origin } })
  assert.equal(
    corsHeaders(from('https://a.example'), policy)['Access-Control-Allow-Origin'],
    'https://a.example',
  )
  assert.deepEqual(corsHeaders(from('https://b.example'), policy), {})
  assert.deepEqual(corsHeaders(new Request('http://x'), policy), {})
  const refused = preflight(from('https://b.example'), policy, ['GET'])
  assert.equal(refused.headers.get('access-control-allow-origin'), null)
  assert.equal(
    preflight(from('https://a.example'), policy, ['GET']).headers.get('access-control-max-age'),
    '60',
  )
})

test('a problem is a page for browsers and JSON for others, and neither runs what it repeats', async () => {
  const problem = {
    status: 400,
    detail: '<script>x</script>',
    fix: 'do "this"',
    correlationId: 'req-1',
  }
  const page = problemResponse(
    new Request('http://a', { headers: { Accept: 'text/html' } }),
    problem,
  )
  const html = await page.text()
  assert.ok(!html.includes('<script>'))
  assert.ok(html.includes('&lt;script&gt;'))
  const json = problemResponse(new Request('http://a'), problem)
  assert.equal(json.headers.get('content-type'), 'application/problem+json')
  assert.deepEqual(await json.json(), { title: 'Bad Request', ...problem })
})
