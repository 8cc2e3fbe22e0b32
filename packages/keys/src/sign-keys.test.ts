import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readKeyMaterial } from '@scopegate/keys'
import { decodeJwt } from 'jose'
import {
  caller,
  clock,
  done,
  elsewhere,
  generated,
  holder,
  keys,
  open,
  signed,
  storage,
  template,
  verify,
} from './test-support/sign-keys-world.ts'

const openssl = spawnSync('openssl', ['version']).status === 0

test('what was signed verifies by the published key set, read by another server', async () => {
  const name = await generated()
  const { jwt, record } = signed(await keys.sign(name, caller, { claims: {} }))
  const { payload, protectedHeader } = await verify(name, jwt)
  assert.equal(payload.iss, 'partner-1')
  assert.equal(payload.aud, 'https://idp.example/token')
  assert.equal(payload.exp, clock.ms / 1000 + 300)
  assert.equal(protectedHeader.kid, record.kid)
  assert.equal(record.jti, payload.jti)
})

test('every signature has a jti of its own', async () => {
  const name = await generated()
  const ids = new Set<unknown>()
  for (let round = 0; round < 20; round++) {
    ids.add(decodeJwt(signed(await keys.sign(name, caller, { claims: {} })).jwt).jti)
  }
  assert.equal(ids.size, 20)
})

test('who has no grant learns nothing, not even whether the key exists', async () => {
  const name = await generated()
  const other = { clientId: 'app-other', roles: [] }
  const here = await keys.sign(name, other, { claims: {} })
  const nowhere = await keys.sign('nowhere', other, { claims: {} })
  assert.ok(!here.ok && !nowhere.ok)
  assert.equal(here.status, 403)
  assert.equal(here.why.replace(name, 'nowhere'), nowhere.why)
  assert.equal(await keys.findFor(name, other), undefined)
  assert.equal((await keys.findFor(name, caller))?.keys.length, 2)
})

test('a role opens the key to all who have it', async () => {
  const name = await generated()
  done(await keys.grant(name, { kind: 'role', name: 'lab' }, template))
  signed(await keys.sign(name, { clientId: 'any', roles: ['lab'] }, { claims: {} }))
  done(await keys.revoke(name, { kind: 'role', name: 'lab' }))
  const refused = await keys.sign(name, { clientId: 'any', roles: ['lab'] }, { claims: {} })
  assert.ok(!refused.ok)
})

test('the name of a key is taken once, and words of addresses are not names', async () => {
  const taken = await generated()
  for (const name of [taken, 'rotate', 'UPPER', '../x', '']) {
    const answer = await keys.add({ name, generate: 'ec-p256' })
    assert.ok(!answer.ok, name)
  }
})

test('neither the database nor any answer holds the private key', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const material = readKeyMaterial({
    text: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    name: 'k',
  })
  done(await keys.add({ name: 'hidden', material }))
  done(await keys.grant('hidden', holder, template))
  const { rows } = await storage.pool.query('SELECT * FROM sign_key, sign_key_set, sign_grant')
  const answers = JSON.stringify([
    rows,
    await keys.list(),
    await keys.find('hidden'),
    await keys.jwks('hidden'),
    await keys.sign('hidden', caller, { claims: {} }),
  ])
  const { d = '' } = privateKey.export({ format: 'jwk' })
  const bytes = Buffer.from(d, 'base64url')
  assert.ok(!answers.includes('PRIVATE KEY'))
  for (const encoding of ['base64url', 'base64', 'hex'] as const) {
    assert.ok(!answers.includes(bytes.toString(encoding)))
  }
  for (const key of (await keys.jwks('hidden'))?.keys ?? []) assert.ok(!('d' in key))
})

test('a sealed key that was moved to another row does not open', async () => {
  const [one, two] = [await generated(), await generated()]
  await storage.pool.query(
    `UPDATE sign_key a SET sealed = b.sealed FROM sign_key b
      WHERE a.set_name = $1 AND b.set_name = $2 AND a.state = 'current' AND b.state = 'current'`,
    [one, two],
  )
  await assert.rejects(keys.sign(one, caller, { claims: {} }), /cannot be unsealed/)
})

test('an export is encrypted and needs a passphrase worth the name', async () => {
  const name = await generated()
  const weak = await keys.export(name, 'short')
  assert.ok(!weak.ok)
  const { pem, kid } = done(await keys.export(name, 'a passphrase of some length'))
  assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
  const material = readKeyMaterial({ text: pem, passphrase: 'a passphrase of some length', name })
  const published = (await keys.jwks(name))?.keys.find((key) => key.kid === kid)
  assert.ok(createPublicKey({ key: published as never, format: 'jwk' }).equals(material.publicKey))
})

test('a caller that asks too often is told how long to wait', async () => {
  const name = await generated()
  let left = 2
  const limited = open({
    retryAfterSeconds: () => (left > 0 ? undefined : 9),
    count: () => void left--,
  })
  signed(await limited.sign(name, caller, { claims: {} }))
  signed(await limited.sign(name, caller, { claims: {} }))
  const refused = await limited.sign(name, caller, { claims: {} })
  assert.ok(!refused.ok && refused.status === 429 && refused.retryAfterSeconds === 9)
})

test(
  'a certificate request is one that openssl verifies, and its certificate is attached to the key',
  openssl ? {} : { skip: 'no `openssl` on this machine' },
  async () => {
    for (const generate of ['rsa-2048', 'ec-p384', 'ed25519'] as const) {
      const name = `csr-${generate}`
      done(
        await keys.add({
          name,
          generate,
          ...(generate === 'ed25519' && { algorithms: ['EdDSA'] as const }),
        }),
      )
      const { pem } = done(
        await keys.certificateRequest(name, {
          subject: 'CN=partner1, O=Clinic',
          dnsNames: ['a.example'],
        }),
      )
      const checked = spawnSync('openssl', ['req', '-verify', '-noout', '-subject'], { input: pem })
      assert.equal(checked.status, 0, String(checked.stderr))
      assert.match(`${checked.stdout}${checked.stderr}`, /partner1/)
    }
    await assert.rejects(keys.certificateRequest('csr-rsa-2048', { subject: '' }), /CN=partner1/)
  },
)

test('who asks after a grant is taken away gets no signature, however many ask at the time', async () => {
  const name = await generated()
  let isRevoked = false
  const ask = async () => {
    const askedLater = isRevoked
    const { ok } = await keys.sign(name, caller, { claims: {} })
    return { askedLater, ok }
  }
  const answers: ReturnType<typeof ask>[] = []
  const crowd = async () => {
    for (let turn = 0; turn < 30; turn += 1) {
      answers.push(ask())
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const before = crowd()
  done(await elsewhere.revoke(name, holder))
  isRevoked = true
  await Promise.all([before, crowd()])
  const later = (await Promise.all(answers)).filter(({ askedLater }) => askedLater)
  assert.ok(later.length >= 30)
  assert.ok(later.every(({ ok }) => !ok))
})
