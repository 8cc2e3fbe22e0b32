import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import { createTokenVerifier, keysFromUrl, rfc9068Issuer } from '@scopegate/token-verify'
import { askToken } from '../testing/ask-token.ts'
import { type StartedServer, startServer } from '../testing/start-server.ts'

const storage = await testStorage()
let nowMs = Date.now()
let at: StartedServer
let credentials: { client_id: string; client_secret: string }

before(async () => {
  at = await startServer(storage, { nowMs: () => nowMs })
  const added = await at.server.clients.add({
    name: 'a',
    scopes: 'system/Patient.rs',
    grants: ['client_credentials'],
  })
  assert.ok(added.ok)
  credentials = { client_id: added.client.clientId, client_secret: added.clientSecret ?? '' }
})
after(() => at.close())

const token = async (issuer = at.issuer) => {
  const { status, body } = await askToken(issuer, credentials)
  assert.equal(status, 200, JSON.stringify(body))
  return body.access_token as string
}
const kidOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid as string
async function published() {
  const response = await fetch(`${at.issuer}/oauth/jwks`)
  return ((await response.json()) as { keys: Record<string, string>[] }).keys
}

/** A resource server somewhere else, that knows only the published keys. */
function verifierElsewhere() {
  const verifier = createTokenVerifier({
    issuers: [
      rfc9068Issuer(
        at.issuer,
        keysFromUrl(`${at.issuer}/oauth/jwks`, {
          network: { allowLoopback: true, allowPrivateHosts: [] },
          nowMs: () => nowMs,
        }),
      ),
    ],
    clockToleranceSeconds: 30,
    now: () => Math.floor(Date.now() / 1000),
  })
  const expected = { audiences: [at.fhir], issuers: [at.issuer] }
  return async (jwt: string) => (await verifier.verify(`Bearer ${jwt}`, expected)).ok
}

describe('signing keys', () => {
  test('are published without their private part, the next one ahead of its use', async () => {
    const signer = kidOf(await token())
    const keys = await published()
    assert.equal(keys.length, 2)
    for (const key of keys) {
      assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    }
    assert.ok(keys.some((key) => key.kid === signer))
  })

  test('rotate without breaking a token, and verifiers need not look again', async () => {
    const verify = verifierElsewhere()
    const before = await token()
    assert.ok(await verify(before))
    const published_before = (await published()).map(({ kid }) => kid)

    const rotated = await at.server.signingKeys.rotate()
    const later = await token()
    assert.equal(kidOf(before), rotated.retired)
    assert.equal(kidOf(later), rotated.kid)
    assert.ok(published_before.includes(rotated.kid), 'the key was known before it signed')
    assert.ok(await verify(before))
    assert.ok(await verify(later))
    assert.ok((await published()).some(({ kid }) => kid === rotated.retired))
  })

  test('are the same for a second process, which follows a rotation within seconds', async () => {
    let secondNowMs = nowMs
    const second = await startServer(storage, { issuer: at.issuer, nowMs: () => secondNowMs })
    const { address } = second
    assert.equal(kidOf(await token(address)), kidOf(await token()))

    const { kid, retired } = await at.server.signingKeys.rotate()
    const verify = verifierElsewhere()
    const stale = await token(address)
    assert.equal(kidOf(stale), retired, 'it has not looked yet')
    assert.ok(await verify(stale), 'and its tokens are good all the same')
    const fresh = await token()
    const expected = { audiences: [at.fhir], issuers: [at.issuer] }
    const own = createTokenVerifier({
      issuers: [rfc9068Issuer(at.issuer, second.server.keySource)],
      clockToleranceSeconds: 30,
      now: () => Math.floor(Date.now() / 1000),
    })
    secondNowMs += 2000
    assert.ok((await own.verify(`Bearer ${fresh}`, expected)).ok, 'an unknown key makes it look')
    secondNowMs += 31_000
    assert.equal(kidOf(await token(address)), kid)
    second.close()
  })

  test('rotate when they are old enough, once among many processes, and not before', async () => {
    const others = await Promise.all(Array.from({ length: 4 }, () => startServer(storage)))
    const rotateAll = () =>
      Promise.all(
        [at, ...others].map(({ server }) => server.signingKeys.rotateIfOlder(90 * 86_400)),
      )
    const before = await token()
    assert.deepEqual(await rotateAll(), Array(5).fill(undefined))

    await storage.pool.query(
      `UPDATE signing_key SET created_at = created_at - interval '91 days' WHERE status <> 'retired'`,
    )
    const rotations = (await rotateAll()).filter((rotation) => rotation !== undefined)
    assert.equal(rotations.length, 1)
    assert.equal(rotations[0]?.retired, kidOf(before))
    assert.ok(await verifierElsewhere()(before))
    nowMs += 31_000
    assert.equal(kidOf(await token()), rotations[0]?.kid)
    for (const server of others) server.close()
  })

  test('rotated again and again, within moments, by several processes, break no token', async () => {
    const second = await startServer(storage, { issuer: at.issuer, nowMs: () => nowMs })
    const tokens = [await token()]
    for (let i = 0; i < 3; i++) {
      await Promise.all([at.server.signingKeys.rotate(), second.server.signingKeys.rotate()])
      tokens.push(await token(), await token(second.address))
    }
    const verify = verifierElsewhere()
    for (const each of tokens) assert.ok(await verify(each))
    const states = (await at.server.signingKeys.list()).map(({ state }) => state)
    assert.deepEqual([...new Set(states)], ['retired', 'current', 'next'])
    assert.equal(states.filter((state) => state !== 'retired').length, 2)
    second.close()
  })

  test('keep their order when a rotation that began first comes second', async () => {
    let isHeld = false
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const slow = await startServer(
      {
        ...storage,
        transaction: (work) =>
          storage.transaction(async (client) => {
            begun.resolve()
            if (isHeld) await gate.promise
            return work(client)
          }),
      },
      { issuer: at.issuer, nowMs: () => nowMs },
    )
    isHeld = true
    const second = slow.server.signingKeys.rotate()
    await begun.promise
    const first = await at.server.signingKeys.rotate()
    gate.resolve()
    assert.equal((await second).retired, first.kid)
    const listed = await at.server.signingKeys.list()
    assert.deepEqual(
      listed.slice(-3).map(({ kid, state }) => [kid === first.kid, state]),
      [
        [true, 'retired'],
        [false, 'current'],
        [false, 'next'],
      ],
    )
    slow.close()
  })

  test('are listed without anything secret', async () => {
    nowMs += 31_000
    const listed = await at.server.signingKeys.list()
    const [current] = listed.filter(({ state }) => state === 'current')
    assert.equal(current?.kid, kidOf(await token()))
    for (const key of listed) {
      const { kid, alg, state, createdAt, retiredAt, ...more } = key
      assert.deepEqual([typeof kid, alg, typeof createdAt, more], ['string', 'ES256', 'number', {}])
      assert.equal(retiredAt === undefined, state !== 'retired')
    }
  })

  test('that are retired vanish when their last token has expired', async () => {
    const old = await token()
    const { retired } = await at.server.signingKeys.rotate()
    await storage.pool.query(
      `UPDATE signing_key SET retired_at = now() - interval '1 hour' WHERE status = 'retired'`,
    )
    nowMs += 40_000
    assert.ok(!(await published()).some(({ kid }) => kid === retired))
    assert.equal(await verifierElsewhere()(old), false)
  })

  test('are made once by many processes that start at the same moment', async () => {
    await storage.pool.query('DELETE FROM signing_key')
    const started = await Promise.all(Array.from({ length: 6 }, () => startServer(storage)))
    const sets = await Promise.all(started.map(({ server }) => server.jwks()))
    for (const set of sets) assert.deepEqual(set, sets[0])
    for (const server of started) server.close()
  })

  test('cannot be used without the master key, and the error says what to restore', async () => {
    const sealer = createSealer([{ id: 'otherkey', key: Buffer.alloc(32, 9) }])
    await assert.rejects(
      startServer(storage, { sealer }),
      /master key `testtest`.*restore that file/,
    )
  })
})
