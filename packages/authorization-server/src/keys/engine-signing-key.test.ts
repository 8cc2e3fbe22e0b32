import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { EngineSigningKey } from './engine-signing-key.ts'

test('its signatures are those of JWS, whatever the length of their halves', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = new EngineSigningKey({ ...privateKey.export({ format: 'jwk' }), kid: 'a' })
  let short = 0
  // One of 128 has a half that begins with a zero byte, which DER leaves out.
  for (let i = 0; i < 3000; i++) {
    const data = Buffer.from(`header.${i}`)
    const signature = key.sign(data)
    assert.equal(signature.length, 64)
    if (signature[0] === 0 || signature[32] === 0) short += 1
    assert.ok(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature))
  }
  assert.ok(short > 0)
})

test('nothing of it shows the private part', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = new EngineSigningKey({ ...privateKey.export({ format: 'jwk' }), kid: 'a' })
  assert.equal(key.keyObject().type, 'public')
  assert.equal(JSON.stringify(key).includes('"d"'), false)
})
