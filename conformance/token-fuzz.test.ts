import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLabKey, publicJwk } from '@scopegate/lab'
import { createTokenVerifier, keysFromSet, rfc9068Issuer } from '@scopegate/token-verify'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { createHostileTokens } from './support/hostile-token.ts'
import { seeded } from './support/seeded.ts'

// S32: what jose refuses is never accepted here, and nothing makes the verifier throw.
// SCOPEGATE_FUZZ_CASES says how many tokens are tried (4,000), SCOPEGATE_FUZZ_SEED makes it others.
const CASES = Number(process.env.SCOPEGATE_FUZZ_CASES ?? 4000)
const SEED = Number(process.env.SCOPEGATE_FUZZ_SEED ?? 20_261_124)
const NOW = 1_800_000_000
const ISSUER = 'https://idp.example'
const AUDIENCE = 'https://api.example/fhir/r4'
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA', 'ES384'] as const

const keys = ALGORITHMS.map((algorithm) => createLabKey(algorithm))
const foreign = ALGORITHMS.map((algorithm) => createLabKey(algorithm))
const keySet = { keys: keys.map((key) => publicJwk(key)) }

/** Sees a token as ours does, as far as jose can be told to. */
async function isGoodForJose(keysOf: ReturnType<typeof createLocalJWKSet>, token: string) {
  const verifying = jwtVerify(token, keysOf, {
    issuer: ISSUER,
    // A final slash is no other audience here.
    audience: [AUDIENCE, `${AUDIENCE}/`],
    typ: 'at+jwt',
    algorithms: ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
    requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
    clockTolerance: 30,
    currentDate: new Date(NOW * 1000),
  })
  return verifying.then(
    () => true,
    () => false,
  )
}

describe(`${CASES} hostile tokens, seed ${SEED}`, { timeout: 60_000 + CASES * 10 }, () => {
  test('are never accepted where jose refuses, and never make the verifier throw', async () => {
    const next = createHostileTokens(
      { issuer: ISSUER, audience: AUDIENCE, now: NOW, keys, foreign },
      seeded(SEED),
    )
    const verifier = createTokenVerifier({
      issuers: [rfc9068Issuer(ISSUER, keysFromSet(keySet))],
      clockToleranceSeconds: 30,
      now: () => NOW,
    })
    const expected = { audiences: [AUDIENCE], issuers: [ISSUER] }
    const keysOf = createLocalJWKSet(keySet as JSONWebKeySet)
    const codes = new Map<string, number>()
    let accepted = 0
    for (let index = 0; index < CASES; index += 1) {
      const token = next()
      const told = `case ${index} of seed ${SEED}: ${JSON.stringify(token.slice(0, 2000))}`
      const verdict = await verifier.verify(`Bearer ${token}`, expected).catch((error: unknown) => {
        throw new Error(`the verifier threw at ${told}`, { cause: error })
      })
      if (verdict.ok) {
        accepted += 1
        // Spaces before a token are part of the header that carries it.
        const isGood = await isGoodForJose(keysOf, token.trimStart())
        assert.ok(isGood, `jose refuses what was accepted: ${told}`)
        continue
      }
      const { code = '', outcome } = verdict.checks.at(-1) ?? {}
      assert.equal(outcome, 'fail', told)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    // The cases reach all of the verifier, not only its first check.
    assert.ok(accepted > CASES / 20, `${accepted} of ${CASES} were accepted`)
    for (const code of [
      ...['token_not_jwt', 'algorithm_not_allowed', 'key_unknown', 'signature_invalid'],
      ...['type_wrong', 'token_expired', 'audience_mismatch', 'issuer_unknown'],
    ]) {
      assert.ok((codes.get(code) ?? 0) > 0, `no case was refused as ${code}: ${[...codes.keys()]}`)
    }
    const figures = Object.fromEntries([...codes].sort(([, a], [, b]) => b - a))
    if (process.env.SCOPEGATE_FUZZ_CASES) console.log({ accepted, ...figures })
  })
})
