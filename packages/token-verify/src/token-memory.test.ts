import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import {
  createTokenVerifier,
  type KeySource,
  keysFromSet,
  rfc9068Issuer,
  type TokenVerifierOptions,
} from '@scopegate/token-verify'

// S40: what is remembered of tokens stays within its bounds, however many come.
// SCOPEGATE_TEST_LARGE=1 sends the whole million.
const MIB = 1024 * 1024
const TOKENS = process.env.SCOPEGATE_TEST_LARGE ? 1_000_000 : 5000
const NOW = 1_800_000_000
const BASE = 'https://api.example'
const lab = createLabIssuer({
  issuer: 'https://idp.example',
  keys: [createLabKey('ES256')],
  now: () => NOW,
})
const here = { audiences: [BASE], issuers: [lab.issuer] }
const token = (subject: string, claims: object = {}) =>
  lab.mintToken({
    audience: BASE,
    scope: 'read',
    expiresInSeconds: 300,
    claims: { sub: subject, ...claims },
  })

/** A verifier that tells how many signatures it checked. */
function counting(options: Partial<TokenVerifierOptions>) {
  const held = keysFromSet(lab.keySet)
  const seen = { signatures: 0, now: NOW }
  const keys: KeySource = {
    ...held,
    find(alg, kid) {
      seen.signatures += 1
      return held.find(alg, kid)
    },
  }
  const verifier = createTokenVerifier({
    issuers: [rfc9068Issuer(lab.issuer, keys)],
    clockToleranceSeconds: 0,
    now: () => seen.now,
    ...options,
  })
  const isGood = async (text: string) => (await verifier.verify(`Bearer ${text}`, here)).ok
  return { seen, isGood }
}

describe('what is remembered of tokens', () => {
  test('is bounded by number: the least recently used is forgotten', async () => {
    const { seen, isGood } = counting({ cacheEntries: 3 })
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((each) => token(each)) as [string, ...string[]]
    for (const each of [a, b, c, a, d]) assert.ok(await isGood(each!))
    assert.equal(seen.signatures, 4)
    assert.ok(await isGood(a))
    assert.equal(seen.signatures, 4, 'used a moment ago')
    assert.ok(await isGood(b!))
    assert.equal(seen.signatures, 5, 'forgotten')
  })

  test('is bounded by size: large tokens push out more, and one beyond it is not kept', async () => {
    const { seen, isGood } = counting({ cacheBytes: 32 * 1024 })
    const small = ['a', 'b', 'c'].map((each) => token(each))
    for (const each of [...small, ...small]) assert.ok(await isGood(each))
    assert.equal(seen.signatures, 3)
    const large = token('d', { groups: 'x'.repeat(4500) })
    for (const each of [large, large]) assert.ok(await isGood(each))
    assert.equal(seen.signatures, 4)
    for (const each of small) assert.ok(await isGood(each))
    assert.ok(seen.signatures > 4, 'some had to go')
    const before = seen.signatures
    const huge = token('e', { groups: 'x'.repeat(9000) })
    for (const each of [huge, huge]) assert.ok(await isGood(each))
    assert.equal(seen.signatures, before + 2)
  })

  test('dies with the token, to the second', async () => {
    const { seen, isGood } = counting({})
    const text = token('a')
    seen.now = NOW + 299
    assert.ok(await isGood(text))
    seen.now = NOW + 300
    assert.ok(!(await isGood(text)))
    assert.equal(seen.signatures, 1, 'it was remembered all the while')
  })

  test('is of the whole token: another signature is never taken for it', async () => {
    const { isGood } = counting({})
    const text = token('a')
    assert.ok(await isGood(text))
    const at = text.lastIndexOf('.') + 10
    const other = text[at] === 'A' ? 'B' : 'A'
    assert.ok(!(await isGood(`${text.slice(0, at)}${other}${text.slice(at + 1)}`)))
    assert.ok(await isGood(text))
  })

  test(`stays within its bound while ${TOKENS} tokens come`, {
    timeout: 3_600_000,
  }, async (context) => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const held = () => {
      collect()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const cacheBytes = 4 * MIB
    const { seen, isGood } = counting({ cacheBytes })
    const padding = { groups: Array.from({ length: 20 }, (_, index) => `group-${index}`) }
    for (let index = 0; index < 500; index += 1)
      assert.ok(await isGood(token(`warm-${index}`, padding)))
    const before = held()
    for (let index = 0; index < TOKENS; index += 1) {
      assert.ok(await isGood(token(`subject-${index}`, padding)))
    }
    const grown = held() - before
    assert.equal(seen.signatures, TOKENS + 500)
    context.diagnostic(`${(grown / MIB).toFixed(1)} MiB more after ${TOKENS} tokens`)
    assert.ok(grown < 2 * cacheBytes, `${grown / MIB} MiB`)
  })
})
