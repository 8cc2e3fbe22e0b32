import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkRequestTarget } from '@scopegate/http'
import type { ConnectionToken } from '@scopegate/oauth-model'
import fc from 'fast-check'
import { allowPaths, findPathPatternProblem } from './allowed-paths.ts'
import { diagnosisHeader } from './diagnose.ts'
import { readChallenge } from './read-challenge.ts'
import { tokenFactsOf } from './token-facts.ts'

describe('allowed paths', () => {
  for (const [pattern, allowed, refused] of [
    ['/metadata', ['/metadata'], ['/', '/metadata/', '/metadata/x', '/Metadata', '/metadatax']],
    [
      '/Patient/*',
      ['/Patient', '/Patient/', '/Patient/1', '/Patient/1/_history/2'],
      ['/', '/Patients', '/x/Patient/1', '/patient/1'],
    ],
    [
      '/Group/{id}/$export',
      ['/Group/7/$export'],
      ['/Group//$export', '/Group/7', '/Group/7/8/$export'],
    ],
    ['/*', ['/', '/x', '/x/y'], []],
    ['/', ['/'], ['/x', '//']],
  ] as const) {
    test(`${pattern} allows ${allowed.join(', ')} and nothing beside`, () => {
      const paths = allowPaths([pattern])
      for (const path of allowed) assert.ok(paths.allows(path), path)
      for (const path of refused) assert.ok(!paths.allows(path), path)
      assert.equal(findPathPatternProblem(pattern), undefined)
    })
  }

  test('without any pattern all are allowed', () => {
    assert.ok(allowPaths([]).allows('/anything/at/all'))
  })

  test('of two lists allow what either allows', () => {
    const pattern = fc.constantFrom('/a', '/a/*', '/b/{x}', '/b/{x}/c', '/*')
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 })
      .map((segments) => `/${segments.join('/')}`)
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1 }), pattern, path, (some, one, at) => {
        const both = allowPaths([...some, one]).allows(at)
        assert.equal(both, allowPaths(some).allows(at) || allowPaths([one]).allows(at))
      }),
    )
  })

  test('what a pattern of one folder allows stays in it, however a target is written', () => {
    const paths = allowPaths(['/Patient/*'])
    const piece = fc.constantFrom(
      ...['Patient', 'admin', '..', '.', '%2e%2e', '%2f', '/', '\\', '%5c', ';', '%00', '//', 'é'],
      ...['%252e', '#', '?', '%', 'http://evil', '@'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const checked = checkRequestTarget(`/Patient/${pieces.join('')}`)
        if (!checked.ok) return
        const path = checked.originForm.split('?')[0]!
        if (!paths.allows(path)) return
        // A URL parser resolves what an upstream might.
        const resolved = new URL(path, 'http://upstream').pathname
        assert.ok(resolved === '/Patient' || resolved.startsWith('/Patient/'), resolved)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('what a resource says of the token it wants', () => {
  test('is read in any order and quoting, the first of equal names', () => {
    assert.deepEqual(
      readChallenge('Bearer realm="x", error = invalid_token , error_description="a \\"b\\", c"'),
      { error: 'invalid_token', description: 'a "b", c', hasClaims: false },
    )
    assert.deepEqual(
      readChallenge([
        'Basic realm="x"',
        'Bearer scope="a b", error="insufficient_claims", claims="e30="',
      ]),
      { error: 'insufficient_claims', scopes: ['a', 'b'], hasClaims: true },
    )
    assert.deepEqual(readChallenge(undefined), { hasClaims: false })
  })

  test('never takes long, and never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 20_000 }), (text) => void readChallenge(text)))
    readChallenge(`x="${'\\'.repeat(100_000)}`)
  })
})

describe('what a token says', () => {
  const token = (accessToken: string): ConnectionToken => ({
    ...{ accessToken, expiresAt: 0, scopes: ['granted'], fingerprint: 'f', warnings: [] },
    type: 'Bearer',
    headers: async () => ({}),
  })
  const jwt = (claims: object) =>
    `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

  test('is taken for what explains a refusal, and names nobody', () => {
    const claims = {
      ...{ iss: 'https://idp', aud: 'https://api', sub: 'jane', name: 'Jane', exp: 1300 },
      ...{ scp: 'a b', roles: ['R'], preferred_username: 'jane' },
    }
    assert.deepEqual(tokenFactsOf(token(jwt(claims)), 1000), {
      ...{ audiences: ['https://api'], issuer: 'https://idp', scopes: ['a', 'b'], roles: ['R'] },
      ...{ secondsLeft: 300, isOpaque: false, isAppOnly: false },
    })
  })

  test('is nothing for an opaque one, or one that is made to confuse', () => {
    for (const odd of [
      'opaque',
      'a.b.c',
      jwt([1]),
      jwt({ aud: 7, scp: {}, roles: 'x y', exp: '1' }),
    ]) {
      const facts = tokenFactsOf(token(odd), 1000)
      assert.deepEqual(facts.audiences, [])
      assert.deepEqual(facts.scopes, ['granted'])
      assert.equal(facts.secondsLeft, undefined)
    }
  })
})

test('a diagnosis is one header of visible ASCII, whatever a provider says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (said) => {
      const header = diagnosisHeader({
        ...{ code: 'no_token', reason: 'x', cause: said, fix: said },
      })
      assert.match(header, /^no_token; reason=x; cause="[\x20-\x7e]*"; fix="[\x20-\x7e]*"$/)
      const [, cause = ''] = /cause="((?:[^"\\]|\\["\\])*)"; fix=/.exec(header) ?? []
      assert.ok(!/\\(?!["\\])/.test(cause.replaceAll(/\\["\\]/g, '')))
    }),
  )
})
