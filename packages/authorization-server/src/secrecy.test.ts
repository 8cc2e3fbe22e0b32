import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import { askToken } from './testing/ask-token.ts'
import { startServer } from './testing/start-server.ts'

const storage = await testStorage()

async function dump(): Promise<string> {
  const { rows: tables } = await storage.pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )
  const parts: string[] = []
  for (const { name } of tables) {
    const { rows } = await storage.pool.query(`SELECT t::text AS line FROM ${name} t`)
    parts.push(...rows.map(({ line }) => line as string))
  }
  return parts.join('\n')
}

test('no secret, token or private key is in the database, an error or a trace', async () => {
  const at = await startServer(storage)
  const registration = { scopes: 'system/Patient.rs', grants: ['client_credentials'] }
  const added = await at.server.clients.add({ name: 'a', ...registration })
  assert.ok(added.ok)
  const declared = 'declared-secret-0123456789'
  await at.server.clients.declare([{ id: 'd', name: 'd', secrets: [declared], ...registration }])
  const rotated = await at.server.clients.rotateSecret(added.client.clientId)
  assert.ok(rotated.ok)
  const admin = await at.server.issueAdminCredential('here')

  const secrets = [added.clientSecret ?? '', rotated.clientSecret, declared, admin.client_secret]
  for (const client_secret of secrets) {
    await askToken(at.issuer, { client_id: added.client.clientId, client_secret })
  }
  const wrong = 'sgs_a-wrong-secret-that-somebody-typed'
  await askToken(at.issuer, { client_id: added.client.clientId, client_secret: wrong })
  await askToken(at.issuer, { client_id: wrong.repeat(9), client_secret: wrong })
  const { body } = await askToken(at.issuer, {
    client_id: added.client.clientId,
    client_secret: rotated.clientSecret,
  })
  const { rows } = await storage.pool.query<{ kid: string; sealed_jwk: string }>(
    'SELECT kid, sealed_jwk FROM signing_key WHERE sealed_jwk IS NOT NULL',
  )
  const sealer = createSealer([{ id: 'testtest', key: Buffer.alloc(32, 7) }])
  const privates = rows.map(
    ({ kid, sealed_jwk }) =>
      JSON.parse(sealer.unseal(sealed_jwk, `signing_key:${kid}`).toString()).d as string,
  )
  assert.equal(privates.length, 2)

  const everything = [
    await dump(),
    JSON.stringify([at.refusals, at.issued, at.errors, await at.server.clients.list()]),
  ].join('\n')
  assert.ok(everything.includes(added.client.clientId), 'the search looks where clients are')
  for (const secret of [
    ...secrets,
    body.access_token,
    body.access_token.split('.')[2],
    ...privates,
  ]) {
    assert.ok(secret.length > 10)
    assert.ok(!everything.includes(secret))
    assert.ok(!everything.includes(Buffer.from(secret).toString('hex')))
  }
  at.close()
})

test('when the database is away: 503 with Retry-After, and nothing of the error to the client', async () => {
  const broken = Object.assign(new Error('connect ECONNREFUSED /secret/path'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
  let isDown = false
  const pool = new Proxy(storage.pool, {
    get: (target, name) =>
      name === 'query' && isDown
        ? () => Promise.reject(broken)
        : (Reflect.get(target, name, target).bind?.(target) ?? Reflect.get(target, name)),
  })
  const at = await startServer({ pool, transaction: (work) => storage.transaction(work) })
  isDown = true
  const { status, headers, body } = await askToken(at.issuer, {
    client_id: 'a',
    client_secret: 'b',
  })
  assert.equal(status, 503)
  assert.equal(headers.get('retry-after'), '5')
  assert.equal(body.error, 'temporarily_unavailable')
  assert.ok(!JSON.stringify(body).includes('secret/path'))
  assert.equal(at.errors.length, 1)
  assert.equal((await fetch(`${at.issuer}/oauth/jwks`)).status, 200, 'keys are served on')
  at.close()
})
