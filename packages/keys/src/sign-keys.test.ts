import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  type ClaimTemplate,
  createSignKeys,
  type KeyAnswer,
  readKeyMaterial,
  type SignAnswer,
} from '@scopegate/keys'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'

const storage = await testStorage()
const sealer = createSealer([{ id: 'aaaaaaaa', key: Buffer.alloc(32, 7) }])
const clock = { ms: 1_800_000_000_000 }

const open = (limit?: Parameters<typeof createSignKeys>[0]['limit']) =>
  createSignKeys({
    pool: storage.pool,
    transaction: storage.transaction,
    sealer,
    nowMs: () => clock.ms,
    newId: randomUUID,
    jwksUrl: (name) => `https://gate.example/keys/${name}/jwks.json`,
    ...(limit && { limit }),
  })
const keys = open()
/** Another process on the same database. */
const elsewhere = open()

const template: ClaimTemplate = {
  issuer: 'partner-1',
  subjects: ['partner-1'],
  audiences: ['https://idp.example/token'],
  maxSeconds: 300,
}
const holder = { kind: 'client', name: 'app-lab' } as const
const caller = { clientId: 'app-lab', roles: [] }

function done<Value>(answer: KeyAnswer<Value>): Value {
  assert.ok(answer.ok, JSON.stringify(answer))
  return answer
}

function signed(answer: SignAnswer): Extract<SignAnswer, { ok: true }> {
  assert.ok(answer.ok, JSON.stringify(answer))
  return answer
}

let count = 0
async function generated(grant: ClaimTemplate = template) {
  const name = `made-${++count}`
  done(await keys.add({ name, generate: 'ec-p256', algorithms: ['ES256'] }))
  done(await keys.grant(name, holder, grant))
  return name
}

async function verify(name: string, jwt: string) {
  const jwks = await elsewhere.jwks(name)
  assert.ok(jwks)
  return jwtVerify(jwt, createLocalJWKSet(jwks as never), { currentDate: new Date(clock.ms) })
}

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

test('a rotation is seen by every server at once, and what was signed before still verifies', async () => {
  const name = await generated()
  const before = signed(await keys.sign(name, caller, { claims: {} }))
  clock.ms += 601_000
  const { kid, retired, next } = done(await keys.rotate(name))
  assert.equal(retired, before.record.kid)
  const after = signed(await elsewhere.sign(name, caller, { claims: {} }))
  assert.equal(after.record.kid, kid)
  await verify(name, after.jwt)
  clock.ms -= 601_000
  await verify(name, before.jwt)
  clock.ms += 601_000
  const view = await elsewhere.find(name)
  assert.deepEqual(
    view?.keys.map((key) => [key.kid, key.state]),
    [
      [kid, 'current'],
      [next, 'next'],
      [retired, 'retired'],
    ],
  )
})

test('a retired key loses its private part at once and its public one when nothing can need it', async () => {
  const name = await generated({ ...template, maxSeconds: 7200 })
  clock.ms += 601_000
  const { retired } = done(await keys.rotate(name))
  const { rows } = await storage.pool.query('SELECT sealed FROM sign_key WHERE kid = $1', [retired])
  assert.deepEqual(rows, [{ sealed: null }])
  const kids = async () => (await keys.jwks(name))?.keys.map(({ kid }) => kid)
  clock.ms += (86_400 + 7199) * 1000
  assert.ok((await kids())?.includes(retired))
  clock.ms += 2000
  assert.ok(!(await kids())?.includes(retired))
})

test('a next key that verifiers may not have seen does not sign, unless forced', async () => {
  const name = await generated()
  const early = await keys.rotate(name)
  assert.ok(!early.ok)
  assert.match(`${early.why} ${early.fix}`, /published 0 seconds ago.*wait 600 seconds.*--now/)
  done(await keys.rotate(name, { force: true }))
})

test('under rotations every token verifies with the key set that was there when it was signed', async () => {
  const name = await generated()
  let stop = false
  const signing = Array.from({ length: 4 }, async (_, index) => {
    const store = index % 2 === 0 ? keys : elsewhere
    let tokens = 0
    while (!stop) {
      const { jwt } = signed(await store.sign(name, caller, { claims: {} }))
      await verify(name, jwt)
      tokens++
    }
    return tokens
  })
  for (let round = 0; round < 8; round++) done(await keys.rotate(name, { force: true }))
  stop = true
  for (const tokens of await Promise.all(signing)) assert.ok(tokens > 0)
})

test('two servers that rotate at once make two rotations, not one and a half', async () => {
  const name = await generated()
  await Promise.all([keys.rotate(name, { force: true }), elsewhere.rotate(name, { force: true })])
  const states = (await keys.find(name))?.keys.map(({ state }) => state)
  assert.deepEqual(states, ['current', 'next', 'retired', 'retired'])
})

test('an imported key waits as the next one until it is rotated to', async () => {
  const make = (name: string) =>
    readKeyMaterial({
      text: String(
        generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
          format: 'pem',
          type: 'pkcs8',
        }),
      ),
      name,
    })
  const first = done(await keys.add({ name: 'partner', material: make('a.pem') }))
  const without = await keys.rotate('partner')
  assert.ok(!without.ok)
  assert.match(`${without.fix}`, /key import partner --next/)
  const { kid } = done(await keys.addNext('partner', make('b.pem')))
  assert.deepEqual(
    (await keys.jwks('partner'))?.keys.map((key) => key.kid),
    [first.kid, kid],
  )
  clock.ms += 601_000
  assert.equal(done(await keys.rotate('partner')).kid, kid)
})

test('the name of a key is taken once, and words of addresses are not names', async () => {
  await generated()
  for (const name of [`made-${count}`, 'rotate', 'UPPER', '../x', '']) {
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

test('a declared key is read-only, follows its declaration, and keeps the former one published', async () => {
  const make = () =>
    readKeyMaterial({
      text: String(
        generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }),
      ),
      name: 'declared',
    })
  const [first, second] = [make(), make()]
  const set = {
    name: 'declared',
    algorithms: ['EdDSA'],
    whenExpired: 'refuse',
    grants: [{ holder, ...template }],
  } as const
  await keys.declare([{ ...set, current: first, next: second }])
  const before = signed(await keys.sign('declared', caller, { claims: {} }))
  await Promise.all([
    keys.declare([{ ...set, current: second }]),
    elsewhere.declare([{ ...set, current: second }]),
  ])
  const after = signed(await elsewhere.sign('declared', caller, { claims: {} }))
  assert.notEqual(after.record.kid, before.record.kid)
  await verify('declared', before.jwt)
  const back = await keys.find('declared')
  assert.deepEqual(
    back?.keys.map(({ state }) => state),
    ['current', 'retired'],
  )
  for (const answer of [
    await keys.rotate('declared'),
    await keys.remove('declared'),
    await keys.grant('declared', holder, template),
  ]) {
    assert.ok(!answer.ok)
    assert.match(answer.why, /declared in the configuration/)
  }
  await keys.declare([{ ...set, current: first }])
  assert.equal((await keys.sign('declared', caller, { claims: {} })).ok, true)
  await keys.declare([])
  assert.equal(await keys.find('declared'), undefined)
  const name = await generated()
  await assert.rejects(keys.declare([{ ...set, name, current: first }]), /key remove/)
})

const openssl = spawnSync('openssl', ['version']).status === 0
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
