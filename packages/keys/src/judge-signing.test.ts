import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ClaimTemplate,
  findGrantProblems,
  judgeSigning,
  type SigningVerdict,
  type SigningWish,
} from '@scopegate/keys'
import fc from 'fast-check'

const NOW = 1_800_000_000
const facts = { algorithms: ['RS256', 'PS256'] as const, nowSeconds: NOW, jti: 'one' }

const name = fc.constantFrom('iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'scope', 'admin', 'x')
const value = fc.oneof(
  fc.constantFrom('a', 'b', '', 'https://a.example', '*'),
  fc.integer(),
  fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + 299, NOW + 300, NOW + 301, NOW + 0.5, Infinity),
  fc.constantFrom(null, true, [], ['a'], ['a', 'b'], {}, { a: 1 }),
)
const template: fc.Arbitrary<ClaimTemplate> = fc
  .record({
    issuer: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    subjects: fc.option(fc.subarray(['a', 'b'], { minLength: 1 }), { nil: undefined }),
    audiences: fc.subarray(['a', 'b', 'https://a.example'], { minLength: 1 }),
    maxSeconds: fc.constantFrom(1, 60, 300, 3600),
    claims: fc.option(
      fc.dictionary(
        fc.constantFrom('scope', 'x', 'iat', 'jti'),
        fc.oneof(fc.constant('any' as const), fc.constant(['a', 1, { a: 1 }])),
      ),
      { nil: undefined },
    ),
  })
  .map((made) => JSON.parse(JSON.stringify(made)) as ClaimTemplate)
const wish: fc.Arbitrary<SigningWish> = fc
  .dictionary(name, value, { maxKeys: 5 })
  .map((claims) => ({ claims }))

function allowed(verdict: SigningVerdict): Extract<SigningVerdict, { ok: true }> {
  assert.ok(verdict.ok, JSON.stringify(verdict))
  return verdict
}

test('claims that are nested without end are refused, and are no fault of the server', () => {
  const deep = JSON.parse(`{"scope":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
  for (const scope of ['any', [['a']]] as const) {
    const grant = { audiences: ['a'], maxSeconds: 60, claims: { scope } }
    const verdict = judgeSigning(grant, { claims: deep }, facts)
    assert.ok(!verdict.ok && /nested too deeply/.test(verdict.refusals[0]!.why))
  }
})

describe('of whatever is asked for, what is signed', () => {
  const law = (check: (template: ClaimTemplate, claims: Record<string, unknown>) => void) => {
    let checked = 0
    fc.assert(
      fc.property(template, wish, (grant, asked) => {
        const verdict = judgeSigning(grant, asked, facts)
        if (!verdict.ok) return
        check(grant, { ...verdict.claims })
        checked += 1
      }),
      { numRuns: 2000 },
    )
    assert.ok(checked > 20, `only ${checked} were allowed`)
  }

  test('is for nobody but the audiences of the grant', () => {
    law(({ audiences }, { aud }) => {
      const all = Array.isArray(aud) ? aud : [aud]
      assert.ok(all.length > 0)
      for (const one of all) assert.ok(audiences.includes(one))
    })
  })

  test('ends in time, after now', () => {
    law(({ maxSeconds }, { exp }) => {
      assert.ok(Number.isInteger(exp))
      assert.ok(Number(exp) > NOW && Number(exp) <= NOW + maxSeconds)
    })
  })

  test('names the issuer and one of the subjects of the grant, or neither', () => {
    law(({ issuer, subjects }, { iss, sub }) => {
      assert.equal(iss, issuer)
      if (subjects === undefined) assert.equal(sub, undefined)
      else assert.ok(subjects.includes(String(sub)))
    })
  })

  test('has no claim that is neither granted nor set here', () => {
    law(({ claims = {} }, signed) => {
      const known = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', ...Object.keys(claims)]
      for (const each of Object.keys(signed)) assert.ok(known.includes(each), each)
    })
  })

  test('has the time and the id of this server, unless the grant leaves them to the caller', () => {
    law(({ claims = {} }, { iat, nbf, jti }) => {
      assert.equal(nbf, NOW)
      if (!Object.hasOwn(claims, 'iat')) assert.equal(iat, NOW)
      if (!Object.hasOwn(claims, 'jti')) assert.equal(jti, 'one')
    })
  })
})

test('asking for less is allowed wherever asking for more is', () => {
  fc.assert(
    fc.property(
      template,
      wish,
      fc.constantFrom('scope', 'x', 'admin', 'exp'),
      (grant, asked, less) => {
        if (!judgeSigning(grant, asked, facts).ok) return
        const { [less]: _, ...claims } = asked.claims
        allowed(judgeSigning(grant, { claims }, facts))
      },
    ),
  )
})

const plain: ClaimTemplate = { audiences: ['a'], maxSeconds: 3600 }

test('what is not asked for lives five minutes, or as long as the grant says if that is less', () => {
  assert.equal(allowed(judgeSigning(plain, { claims: {} }, facts)).claims.exp, NOW + 300)
  const short = { ...plain, maxSeconds: 60 }
  assert.equal(allowed(judgeSigning(short, { claims: {} }, facts)).claims.exp, NOW + 60)
})

test('a claim named like a member of every object is a claim like others', () => {
  for (const claim of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const asked = JSON.parse(`{ "${claim}": "x" }`)
    assert.equal(judgeSigning({ ...plain, claims: {} }, { claims: asked }, facts).ok, false)
    const claims = JSON.parse(`{ "${claim}": ["x"] }`)
    const verdict = allowed(judgeSigning({ ...plain, claims }, { claims: asked }, facts))
    assert.equal(Object.getOwnPropertyDescriptor(verdict.claims, claim)?.value, 'x')
  }
})

test('all that is wrong is told at once', () => {
  const verdict = judgeSigning(
    { ...plain, issuer: 'me' },
    {
      claims: { iss: 'you', aud: 'b', exp: 1, admin: true },
      alg: 'none',
      typ: 'x',
      headers: { jku: true },
    },
    facts,
  )
  assert.ok(!verdict.ok)
  assert.deepEqual(
    verdict.refusals.map(({ member }) => member),
    ['iss', 'aud', 'exp', 'admin', 'alg', 'typ', 'jku'],
  )
})

test('an algorithm needs the grant and the key', () => {
  const both = { ...plain, algorithms: ['PS256', 'RS512'] as const }
  assert.equal(allowed(judgeSigning(both, { claims: {} }, facts)).alg, 'PS256')
  assert.equal(judgeSigning(both, { claims: {}, alg: 'RS512' }, facts).ok, false)
  assert.equal(judgeSigning(plain, { claims: {}, alg: 'PS256' }, facts).ok, false)
})

test('too many claims are refused', () => {
  const claims = { x: 'y'.repeat(20_000) }
  assert.equal(judgeSigning({ ...plain, claims: { x: 'any' } }, { claims }, facts).ok, false)
})

for (const [what, bad] of [
  ['no audience', { ...plain, audiences: [] }],
  ['any audience', { ...plain, audiences: ['*'] }],
  ['no end', { ...plain, maxSeconds: Number.POSITIVE_INFINITY }],
  ['a year', { ...plain, maxSeconds: 366 * 86_400 }],
  ['aud as an ordinary claim', { ...plain, claims: { aud: 'any' as const } }],
  ['exp as an ordinary claim', { ...plain, claims: { exp: 'any' as const } }],
  ['iss twice', { ...plain, issuer: 'a', claims: { iss: 'any' as const } }],
  ['sub twice', { ...plain, subjects: ['a'], claims: { sub: 'any' as const } }],
  ['an algorithm that the key does not have', { ...plain, algorithms: ['ES256' as const] }],
] as const) {
  test(`a grant with ${what} is a problem`, () => {
    assert.equal(findGrantProblems(bad, facts.algorithms).length, 1)
  })
}
