import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createKeySigner, readKeyMaterial, type SignatureAlgorithm, signJws } from '@scopegate/keys'
import { compactVerify, decodeProtectedHeader } from 'jose'

const kinds = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  Ed25519: generateKeyPairSync('ed25519').privateKey,
}

describe('signing', () => {
  const algorithms: readonly (readonly [SignatureAlgorithm, keyof typeof kinds])[] = [
    ['RS256', 'rsa'],
    ['RS384', 'rsa'],
    ['RS512', 'rsa'],
    ['PS256', 'rsa'],
    ['PS384', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
    ['EdDSA', 'Ed25519'],
  ]
  const materialOf = (kind: keyof typeof kinds) =>
    readKeyMaterial({
      text: kinds[kind].export({ format: 'pem', type: 'pkcs8' }) as string,
      name: kind,
    })

  for (const [alg, kind] of algorithms) {
    test(`jose verifies ${alg}`, async () => {
      const material = materialOf(kind)
      const jws = await signJws(createKeySigner(material, { alg }), { typ: 'x' }, { sub: 'a' })
      const { payload } = await compactVerify(jws, material.publicKey)
      assert.deepEqual(JSON.parse(new TextDecoder().decode(payload)), { sub: 'a' })
      assert.equal(decodeProtectedHeader(jws).alg, alg)
    })
  }

  test('a header cannot change the algorithm or the key id', async () => {
    const signer = createKeySigner(materialOf('P-256'), { kid: 'k1' })
    const jws = await signJws(signer, { alg: 'none', kid: 'other', x5t: 'y' }, {})
    assert.deepEqual(decodeProtectedHeader(jws), { typ: 'JWT', alg: 'ES256', kid: 'k1', x5t: 'y' })
  })

  test('an algorithm that the key cannot do is refused, with those it can', () => {
    assert.throws(() => createKeySigner(materialOf('P-256'), { alg: 'RS256' }), /use one of ES256/)
  })
})
