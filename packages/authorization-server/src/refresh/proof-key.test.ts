import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proofKey } from './proof-key.ts'

const proof = (header: unknown) =>
  `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.x`

// The keys of RFC 7638 §3.1 and RFC 8037 Appendix A.3.
const RSA = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29',
}
const OKP = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }

test('the thumbprint is that of RFC 7638', () => {
  assert.equal(proofKey(proof({ jwk: RSA })), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  assert.equal(proofKey(proof({ jwk: OKP })), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})

test('what is no proof has no key', () => {
  for (const text of [
    undefined,
    '',
    'x',
    '.',
    proof(null),
    proof({}),
    proof({ jwk: { kty: 'oct' } }),
  ]) {
    assert.equal(proofKey(text), undefined, text)
  }
})
