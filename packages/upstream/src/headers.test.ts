import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  copyAnswerHeaders,
  copyRequestHeaders,
  createHeaderPolicy,
  publicAddress,
  withoutOwnCookies,
} from '@scopegate/upstream'
import fc from 'fast-check'

const place = {
  origin: 'https://fhir.example',
  basePath: '/r4',
  mount: '/out/lab',
  outside: 'absolute',
} as const

describe('an address of the upstream', () => {
  for (const [location, expected] of [
    ['https://fhir.example/r4/Patient/1', '/out/lab/Patient/1'],
    ['/r4/Patient/1?x=/r4', '/out/lab/Patient/1?x=/r4'],
    ['/r4', '/out/lab'],
    ['/r4?x', '/out/lab?x'],
    ['/r4x/1', 'https://fhir.example/r4x/1'],
    ['/login', 'https://fhir.example/login'],
    ['Patient/1', 'Patient/1'],
    ['//other.example/r4', '//other.example/r4'],
    ['https://fhir.example.evil/r4/x', 'https://fhir.example.evil/r4/x'],
    ['https://fhir.example@evil/r4/x', 'https://fhir.example@evil/r4/x'],
    ['http://fhir.example/r4/x', 'http://fhir.example/r4/x'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
  ]) {
    test(`${location} is ${expected} here`, () => {
      assert.equal(publicAddress(location!, place), expected)
    })
  }

  test('that is not below the upstream never becomes one of ours', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        fc.pre(!url.startsWith('https://fhir.example/'))
        assert.equal(publicAddress(url, place), url)
      }),
    )
  })
})

describe('headers of a request', () => {
  const policy = createHeaderPolicy({
    drop: ['Authorization'],
    dropPrefixes: ['scopegate-'],
    cookies: withoutOwnCookies,
  })
  const copied = (headers: readonly string[], connection?: string) => {
    const out: string[] = []
    copyRequestHeaders(headers, policy, connection, out)
    return out
  }

  test('that are dropped are dropped however they are spelled', () => {
    const cases = fc.constantFrom('authorization', 'x-forwarded-for', 'scopegate-x', 'host', 'te')
    fc.assert(
      fc.property(cases, fc.array(fc.boolean()), fc.boolean(), (name, upper, underscores) => {
        const cased = [...name].map((letter, i) => (upper[i] ? letter.toUpperCase() : letter))
        const spelled = underscores ? cased.join('').replaceAll('-', '_') : cased.join('')
        assert.deepEqual(copied([spelled, 'x', 'Accept', 'y']), ['Accept', 'y'])
      }),
    )
  })

  test('that Connection names stay here', () => {
    assert.deepEqual(copied(['X-Hop', '1', 'X-Kept', '2'], 'close, x-hop'), ['X-Kept', '2'])
  })

  test('all others pass as they are, in their order, repeated ones too', () => {
    const name = fc.stringMatching(/^Y-[A-Za-z0-9]{1,10}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string())), (pairs) => {
        assert.deepEqual(copied(pairs.flat()), pairs.flat())
      }),
    )
  })

  test('cookies pass without those of this server', () => {
    assert.deepEqual(copied(['Cookie', 'a=1; scopegate_session=x; __Host-scopegate.y=z; b=2']), [
      ...['Cookie', 'a=1; b=2'],
    ])
    assert.deepEqual(copied(['Cookie', 'scopegate_session=x']), [])
  })
})

test('headers of an answer pass without those of the hop and what the policy takes out', () => {
  const out = copyAnswerHeaders(
    {
      connection: 'close, x-hop',
      'x-hop': '1',
      'transfer-encoding': 'chunked',
      'x-request-id': 'theirs',
      'alt-svc': 'h3',
      'set-cookie': ['a=1', 'b=2'],
      location: '/r4/Patient/1',
      'content-location': 'https://fhir.example/r4/Patient/1/_history/2',
      etag: 'W/"2"',
    },
    {
      drop: new Set(['alt-svc']),
      keepsCookie: (line) => line !== 'b=2',
      address: (location) => publicAddress(location, place),
    },
    [],
  )
  assert.deepEqual(out, [
    ...['set-cookie', 'a=1'],
    ...['location', '/out/lab/Patient/1'],
    ...['content-location', '/out/lab/Patient/1/_history/2'],
    ...['etag', 'W/"2"'],
  ])
})
