import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createKeySigner, readKeyMaterial } from '@scopegate/keys'
import { createTokenRequester } from './create-token-requester.ts'
import { ask, connectionTo, failureOf, targetOf, tokenOf } from './test-support/ask.ts'
import { PLAIN_TOKEN, startScriptedPeer } from './test-support/scripted-peer.ts'
import type { WrittenConnection } from './written/written-connection.ts'

// One key for many providers is usual (one JWK Set URL), and each gives the client its name: one that
// gives it the name it has at another could use an assertion for that other, if it got one.
const VICTIM = 'https://victim.example'
const text = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  ...{ format: 'pem', type: 'pkcs8' },
}) as string
const made = createKeySigner(readKeyMaterial({ text, name: 'key' }), { alg: 'RS384' })
const credentials = { signer: async () => made }

/** A provider whose metadata holds what it likes. */
async function openEvil(metadata: Readonly<Record<string, string>>) {
  const peer = await startScriptedPeer(({ method, path }) => {
    if (method === 'GET') {
      const own = { issuer: peer.origin, token_endpoint: peer.tokenEndpoint }
      const device = { device_authorization_endpoint: `${peer.origin}/device` }
      return { body: { ...own, ...device, ...metadata } }
    }
    return path === '/device' ? { status: 400, body: { error: 'no' } } : { body: PLAIN_TOKEN }
  })
  const assertions = () =>
    peer.requests.flatMap(({ form }) => {
      const [, claims] = form.get('client_assertion')?.split('.') ?? []
      return claims === undefined ? [] : [JSON.parse(Buffer.from(claims, 'base64url').toString())]
    })
  const connection = (written: Partial<WrittenConnection>) =>
    connectionTo('', { tokenEndpoint: undefined, ...written }, credentials)
  return { peer, connection, assertions }
}

describe('No assertion for another server goes to a provider', () => {
  const written = {
    preset: 'smart',
    authentication: { method: 'private_key_jwt', audience: 'issuer', headers: ['kid', 'typ'] },
  } as const

  test('that states the issuer of that other', async () => {
    const { peer, connection, assertions } = await openEvil({ issuer: VICTIM })
    const failure = failureOf(await ask(connection({ ...written, url: peer.origin })))
    assert.equal(failure.code, 'key_unusable')
    assert.deepEqual(assertions(), [])
  })

  test('its own issuer is good, though no setting names it', async () => {
    const { peer, connection, assertions } = await openEvil({})
    tokenOf(await ask(connection({ ...written, url: peer.origin })))
    assert.equal(assertions()[0]?.aud, peer.origin)
  })

  test('that states the token endpoint of that other, beside a device endpoint of its own', async () => {
    const { peer, connection, assertions } = await openEvil({ token_endpoint: `${VICTIM}/token` })
    const target = targetOf(
      connection({
        ...{ issuer: peer.origin, grant: 'device_code' },
        authentication: { method: 'private_key_jwt' },
      }),
    )
    const requester = createTokenRequester({ nowMs: Date.now })
    const begun = await requester.beginDevice(target, AbortSignal.timeout(30_000))
    assert.equal(begun.kind, 'failed')
    assert.deepEqual(
      assertions().map(({ aud }) => aud),
      [`${peer.origin}/device`],
    )
  })
})
