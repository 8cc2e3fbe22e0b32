import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createLabIssuer, openLabKeys } from '@scopegate/lab'

const read = (token: string, part: 0 | 1) =>
  JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString())

describe('the lab issuer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-lab-'))
  const privateFile = join(folder, 'keys', 'private.json')
  const publicFile = join(folder, 'keys', 'public.json')

  test('keeps its keys in a 0600 file and publishes only their public half', () => {
    const keys = openLabKeys(privateFile, publicFile)
    assert.equal(statSync(privateFile).mode & 0o777, 0o600)
    assert.deepEqual(openLabKeys(privateFile, publicFile), keys)
    const published = readFileSync(publicFile, 'utf8')
    assert.ok(!published.includes(String(keys[0]?.d)))
    assert.deepEqual(JSON.parse(published).keys[0].kid, keys[0]?.kid)
  })

  test('mints what it is asked for', () => {
    const issuer = createLabIssuer({
      issuer: 'https://lab.example',
      keys: openLabKeys(privateFile),
      now: () => 1000,
    })
    const token = issuer.mintToken({
      audience: 'https://api.example',
      scope: 'patient/*.rs',
      patient: 'p1',
      fhirUser: 'Practitioner/1',
      expiresInSeconds: 60,
    })
    assert.equal(read(token, 0).typ, 'at+jwt')
    const { jti, ...claims } = read(token, 1)
    assert.ok(jti)
    assert.deepEqual(claims, {
      iss: 'https://lab.example',
      sub: 'lab-user',
      aud: 'https://api.example',
      client_id: 'lab',
      iat: 1000,
      exp: 1060,
      scope: 'patient/*.rs',
      patient: 'p1',
      fhirUser: 'Practitioner/1',
    })
  })

  test('asked for a key that it has not, says so', () => {
    const issuer = createLabIssuer({ issuer: 'https://lab.example' })
    assert.throws(() => issuer.mintToken({ audience: 'x', kid: 'nobody' }), /no key `nobody`/)
  })
})
