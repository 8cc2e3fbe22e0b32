import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RegistrationRefused } from '@scopegate/authorization-server'
import { testStorage } from '@scopegate/storage/testing'
import { askToken } from '../testing/ask-token.ts'
import { type StartedServer, startServer } from '../testing/start-server.ts'

const storage = await testStorage()
let at: StartedServer
before(async () => {
  at = await startServer(storage, { limits: { failuresPerMinute: 10_000 } })
})
after(() => at.close())

const registration = {
  name: 'Lab reader!',
  scopes: 'system/Patient.rs',
  grants: ['client_credentials'],
}
async function add(more = {}) {
  const added = await at.server.clients.add({ ...registration, ...more })
  assert.ok(added.ok, JSON.stringify(added))
  return { id: added.client.clientId, secret: added.clientSecret ?? '', client: added.client }
}
const status = async (client_id: string, client_secret: string) =>
  (await askToken(at.issuer, { client_id, client_secret })).status

describe('a client', () => {
  test('gets a readable id and a secret of characters that need no encoding, shown once', async () => {
    const { id, secret, client } = await add()
    assert.match(id, /^lab-reader-[0-9a-f]{9}$/)
    assert.match(secret, /^sgs_[A-Za-z0-9_-]{43}$/)
    assert.equal(await status(id, secret), 200)
    assert.ok(!JSON.stringify([client, await at.server.clients.find(id)]).includes(secret))
    assert.ok((await at.server.clients.list()).some(({ clientId }) => clientId === id))
  })

  test('may be given an id, once', async () => {
    await add({ clientId: 'chosen' })
    const again = await at.server.clients.add({ ...registration, clientId: 'chosen' })
    assert.ok(!again.ok)
    assert.equal(again.status, 409)
  })

  test('keeps its former secret for a while after a rotation, or not at all', async () => {
    const { id, secret } = await add()
    const first = await at.server.clients.rotateSecret(id)
    assert.ok(first.ok)
    assert.deepEqual([await status(id, secret), await status(id, first.clientSecret)], [200, 200])
    const view = await at.server.clients.find(id)
    assert.equal(view?.secrets?.filter(({ expiresAt }) => expiresAt === undefined).length, 1)

    const second = await at.server.clients.rotateSecret(id, { overlapSeconds: 0 })
    assert.ok(second.ok)
    assert.deepEqual(
      [
        await status(id, secret),
        await status(id, first.clientSecret),
        await status(id, second.clientSecret),
      ],
      [401, 401, 200],
    )
  })

  test('with a secret that ran out is told nothing more; the operator is', async () => {
    const { id, secret } = await add()
    await at.server.clients.rotateSecret(id)
    await storage.pool.query(
      `UPDATE client_secret SET expires_at = now() - interval '1 minute'
        WHERE client_id = $1 AND expires_at IS NOT NULL`,
      [id],
    )
    assert.equal(await status(id, secret), 401)
    assert.equal(at.refusals.at(-1)?.code, 'secret_expired')
    assert.equal(
      at.refusals.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')?.name,
      'credential',
    )
  })

  test('is refused at once when it is disabled or removed', async () => {
    const { id, secret } = await add()
    assert.ok((await at.server.clients.setDisabled(id, true)).ok)
    assert.equal(await status(id, secret), 401)
    assert.equal(at.refusals.at(-1)?.code, 'client_disabled')
    assert.ok((await at.server.clients.setDisabled(id, false)).ok)
    assert.equal(await status(id, secret), 200)
    assert.ok((await at.server.clients.remove(id)).ok)
    assert.equal(await status(id, secret), 401)
    const gone = await at.server.clients.remove(id)
    assert.ok(!gone.ok)
    assert.equal(gone.status, 404)
  })

  for (const [what, more, says] of [
    ['a user scope', { scopes: 'user/Patient.rs' }, /signed-in user/],
    ['a misspelt scope', { scopes: 'system/Observation.sr' }, /out of order/],
    ['an unknown scope', { scopes: 'root' }, /not a scope that this server knows/],
    ['no scope', { scopes: ' ' }, /none given/],
    ['an unknown grant', { grants: ['password'] }, /`password` is not supported/],
    ['no grant', { grants: [] }, /grants: none/],
    ['no name', { name: ' ' }, /name/],
    ['an id with a space', { clientId: 'a b' }, /clientId/],
    ['an id that looks like a user', { clientId: 'usr_1' }, /usr_/],
    ['an id that is kept', { clientId: 'scopegate-cli' }, /scopegate-/],
  ] as const) {
    test(`with ${what} is not registered, and the reason is given`, async () => {
      const added = await at.server.clients.add({ ...registration, ...more })
      assert.ok(!added.ok)
      assert.match(added.why, says)
      assert.ok(added.fix)
    })
  }
})

describe('a client of users', () => {
  const app = {
    name: 'App',
    scopes: 'openid launch patient/*.rs offline_access',
    grants: ['authorization_code', 'refresh_token'],
    redirectUris: ['https://app.example/cb', 'http://localhost:3000/cb'],
  }

  test('comes back as it was registered', async () => {
    const full = {
      ...app,
      public: true,
      postLogoutRedirectUris: ['https://app.example/bye'],
      launchUrl: 'https://app.example/launch',
      dpopBound: true,
      requirePar: true,
      backchannelLogoutUri: 'https://app.example/logout',
      logoUri: 'https://app.example/logo.png',
      clientUri: 'https://app.example/',
      policyUri: 'https://app.example/policy',
      tosUri: 'https://app.example/tos',
      consent: 'remember',
      accessTokenSeconds: 120,
      refreshTokenSeconds: 3600,
    } as const
    const { id, secret, client } = await add(full)
    assert.equal(secret, '')
    const { clientId, source, authentication, native, origins, disabled, createdAt, ...rest } =
      client
    assert.deepEqual(rest, full)
    assert.deepEqual([source, authentication, native, disabled], ['stored', 'none', false, false])
    assert.deepEqual(origins, ['https://app.example', 'http://localhost:3000'])
    assert.deepEqual(await at.server.clients.find(id), client)
    assert.ok(createdAt > 0 && clientId === id)
  })

  test('is changed in part; null goes back to the default', async () => {
    const { id } = await add({ ...app, launchUrl: 'https://app.example/launch', consent: 'skip' })
    const changed = await at.server.clients.update(id, {
      name: 'Other',
      launchUrl: null,
      consent: null,
      origins: ['https://other.example'],
      disabled: true,
    })
    assert.ok(changed.ok)
    const { name, launchUrl, consent, origins, disabled, redirectUris } = changed.client
    assert.deepEqual([name, launchUrl, consent, disabled], ['Other', undefined, 'ask', true])
    assert.deepEqual([origins, redirectUris], [['https://other.example'], app.redirectUris])
    const bad = await at.server.clients.update(id, { redirectUris: ['/cb'] })
    assert.ok(!bad.ok && bad.status === 400)
    assert.match(bad.why, /redirectUris: `\/cb`/)
    const nameless = await at.server.clients.update(id, { name: null })
    assert.ok(!nameless.ok && /name/.test(nameless.why))
    assert.deepEqual(await at.server.clients.find(id), changed.client)
  })

  test('that becomes public loses its secret; one that is no longer gets another', async () => {
    const { id, secret } = await add(app)
    const open = await at.server.clients.update(id, { public: true })
    assert.ok(open.ok && open.client.authentication === 'none' && open.clientSecret === undefined)
    const rotated = await at.server.clients.rotateSecret(id)
    assert.ok(!rotated.ok && /public/.test(rotated.why))
    const closed = await at.server.clients.update(id, { public: false })
    assert.ok(closed.ok && closed.client.authentication === 'secret')
    assert.match(closed.clientSecret ?? '', /^sgs_/)
    assert.notEqual(closed.clientSecret, secret)
    assert.equal(closed.client.secrets?.length, 1)
    const keyed = await at.server.clients.update(id, { jwksUri: 'https://app.example/jwks' })
    assert.ok(keyed.ok && keyed.client.authentication === 'jwks_uri')
    const { rows } = await storage.pool.query('SELECT 1 FROM client_secret WHERE client_id = $1', [
      id,
    ])
    assert.equal(rows.length, 0)
  })

  test('keeps changes that come at the same moment', async () => {
    const { id } = await add(app)
    await Promise.all([
      at.server.clients.update(id, { consent: 'remember' }),
      at.server.clients.update(id, { requirePar: true }),
      at.server.clients.update(id, { dpopBound: true }),
    ])
    const { consent, requirePar, dpopBound } = (await at.server.clients.find(id)) ?? {}
    assert.deepEqual([consent, requirePar, dpopBound], ['remember', true, true])
  })
})

describe('declared clients', () => {
  const declared = (id: string, more = {}) => ({
    ...registration,
    id,
    secrets: [`secret-of-${id}-0123456789`],
    ...more,
  })

  test('exist as they are declared, follow the configuration, and go with it', async () => {
    const { clients } = at.server
    await clients.declare([declared('one'), declared('two')])
    assert.equal(await status('one', 'secret-of-one-0123456789'), 200)
    await clients.declare([declared('one', { secrets: ['another-secret-0123456789'] })])
    assert.equal(await status('one', 'secret-of-one-0123456789'), 401)
    assert.equal(await status('one', 'another-secret-0123456789'), 200)
    assert.equal(await clients.find('two'), undefined)
  })

  test('are let in by each of their secrets while one is exchanged, and by none that is gone', async () => {
    const [former, next] = ['the-former-secret-0123456789', 'the-next-secret-0123456789']
    const secrets = [[former], [next, former], [next]]
    for (const each of secrets) {
      await at.server.clients.declare([declared('one', { secrets: each })])
      assert.equal(await status('one', former), each.includes(former) ? 200 : 401)
      assert.equal(await status('one', next), each.includes(next) ? 200 : 401)
    }
    await assert.rejects(
      at.server.clients.declare([declared('one', { secrets: [next, 'hunter2'] })]),
      /clients\.one\.secret: shorter than 16/,
    )
  })

  test('can be declared by several processes at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => at.server.clients.declare([declared('one')])))
    assert.equal(await status('one', 'secret-of-one-0123456789'), 200)
  })

  test('are read-only at run time', async () => {
    await at.server.clients.declare([declared('one')])
    for (const answer of [
      await at.server.clients.remove('one'),
      await at.server.clients.rotateSecret('one'),
      await at.server.clients.setDisabled('one', true),
      await at.server.clients.update('one', { name: 'Mine' }),
    ]) {
      assert.ok(!answer.ok)
      assert.equal(answer.status, 409)
      assert.match(answer.why, /declared in the configuration/)
    }
  })

  test('with a short secret, a wrong scope or an id that was added are refused by name', async () => {
    await add({ clientId: 'taken' })
    for (const [client, says] of [
      [declared('bad', { secrets: ['hunter2'] }), /clients\.bad\.secret: shorter than 16/],
      [declared('bad', { scopes: 'system/Nothing.rs' }), /clients\.bad\.scopes.*not an R4/],
      [declared('bad', { public: true }), /clients\.bad\.grants: a public client/],
      [
        declared('bad', { jwksUri: 'https://app.example/jwks' }),
        /clients\.bad\.secret: given together with keys/,
      ],
      [declared('taken'), /clients\.taken: a client with this id was added/],
    ] as const) {
      await assert.rejects(at.server.clients.declare([client]), (error: Error) => {
        assert.ok(error instanceof RegistrationRefused)
        assert.match(error.message, says)
        assert.ok(!error.message.includes('hunter2'))
        return true
      })
    }
  })
})

describe('the credential of the command line', () => {
  test('gets a token for the admin API, one per holder, and none for FHIR', async () => {
    const one = await at.server.issueAdminCredential('here')
    const other = await at.server.issueAdminCredential('there')
    const { client_id, client_secret } = one
    const { status: code, body } = await askToken(at.issuer, { client_id, client_secret })
    assert.equal(code, 200)
    assert.equal(body.scope, one.scope)
    const claims = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString())
    assert.equal(claims.aud, one.resource)

    const fhir = await askToken(at.issuer, { client_id, client_secret, resource: at.fhir })
    assert.equal(fhir.body.error, 'invalid_scope')

    const renewed = await at.server.issueAdminCredential('here')
    assert.equal(await status(client_id, client_secret), 401)
    assert.equal(await status(client_id, renewed.client_secret), 200)
    assert.equal(await status(client_id, other.client_secret), 200)
  })

  test('a client with clinical and admin scopes gets a token for one API at a time', async () => {
    const { id, secret } = await add({ scopes: 'system/Patient.rs admin/status.read' })
    const credentials = { client_id: id, client_secret: secret }
    const both = await askToken(at.issuer, {
      ...credentials,
      scope: 'system/Patient.rs admin/status.read',
    })
    assert.equal(both.body.scope, 'system/Patient.rs')
    assert.equal(both.body.omitted_scopes[0].code, 'scope_of_other_resource')
    const admin = await askToken(at.issuer, { ...credentials, scope: 'admin/status.read' })
    assert.equal(admin.body.scope, 'admin/status.read')
  })
})
