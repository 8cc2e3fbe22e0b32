import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { SEALED_COLUMNS } from '@scopegate/secrets'
import { readConfig, shownSettings } from '@scopegate/server'
import { until } from './operating/operator.ts'
import { watchSecrets } from './support/watch-secrets.ts'

// Problem 11.6: of all secrets and tokens that are used in a day, none is where people look.
const watched = watchSecrets()
const { labConnection, openBrokerServer, LAB_SECRET } = await import(
  './support/open-broker-server.ts'
)
const { createLabIssuer, createLabKey } = await import('@scopegate/lab')

const folder = mkdtempSync(join(tmpdir(), 'scopegate-redaction-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const PARTNER_SECRET = 'a secret of the partner client, long'
writeFileSync(join(folder, 'partner.json'), JSON.stringify({ partner: { secret: PARTNER_SECRET } }))
const at = await openBrokerServer({
  connections: (lab, resource) =>
    [
      labConnection(lab, resource),
      labConnection(lab, resource, { name: 'down', more: ['clientId: down'] }),
    ].join('\n'),
  environment: { LAB_SECRET },
  yaml: `clients:
  - { id: partner, secret: "file:${folder}/partner.json#/partner/secret", scopes: system/Patient.rs }
`,
})
after(() => at.close())
const { server, lab } = at
watched.note('secret of a connection', LAB_SECRET)
watched.note('secret of a client in the file', PARTNER_SECRET)

const SCOPE = 'openid fhirUser offline_access user/Patient.rs'

before(async () => {
  await tokensOfClients()
  await tokensOfUsers()
  await tokensOfConnections()
  await signatures()
  await refusals()
})

async function tokensOfClients() {
  for (const as of ['secret', 'ES384'] as const) {
    const app = await server.app({
      as,
      grants: ['client_credentials'],
      scopes: 'system/Patient.rs',
    })
    const { json } = await app.clientCredentials('system/Patient.rs')
    assert.equal((await server.fhir(json.access_token, 'Patient')).status, 200)
    await app.post(`${server.url}/oauth/introspect`, { token: json.access_token ?? '' })
    await app.post(`${server.url}/oauth/revoke`, { token: json.access_token ?? '' })
    await server.fhir(json.access_token, 'Patient')
    if (as === 'secret') {
      const rotated = await server.admin('POST', `/clients/${app.clientId}/secret`, {})
      assert.ok(rotated)
    }
  }
  const partner = { client_id: 'partner', client_secret: PARTNER_SECRET }
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...partner })
  assert.equal((await fetch(server.tokenUrl, { method: 'POST', body: form })).status, 200)
  await server.adminCall('POST', '/registration-tokens', { scopes: 'user/Patient.rs' })
}

async function tokensOfUsers() {
  const person = await server.user()
  watched.note('password', person.password)
  const plain = await server.app({ scopes: `launch ${SCOPE}` })
  await server.ehrLaunch(plain, person, {})
  const { token } = await server.launch(plain, person, { scope: SCOPE })
  const refreshed = await plain.refresh(token.refresh_token ?? '')
  assert.equal(refreshed.status, 200)
  // A token that was used, and the whole family with it.
  await plain.refresh(token.refresh_token ?? '')
  await fetch(`${server.url}/oauth/userinfo`, {
    headers: { authorization: `Bearer ${refreshed.json.access_token}` },
  })
  const pushed = plain.authorize({ scope: SCOPE })
  await plain.post(`${server.url}/oauth/par`, Object.fromEntries(pushed.params))
}

async function tokensOfConnections() {
  const { status, json } = await at.token('lab')
  assert.equal(status, 200)
  assert.ok(String(json.access_token).length > 20, Object.keys(json).join())
  watched.note('token of a connection', json.access_token)
  assert.equal((await at.out('lab/Patient/1')).status, 200)
  lab.conditions.outage = { status: 503 } as never
  await at.token('down')
  await at.out('down/Patient/1')
  Object.assign(lab.conditions, { outage: undefined })
}

async function signatures() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })
  // The middle of it: the private number is there, the public one follows.
  watched.note('a private key', der.subarray(36, 68).toString('base64url'))
  watched.note('a private key, as hex', der.subarray(36, 68).toString('hex'))
  await server.admin('POST', '/keys', { name: 'partner', key: pem })
}

async function refusals() {
  const { url, fhirUrl, tokenUrl } = server
  const idp = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('ES256')] })
  const foreign = idp.mintToken({ audience: fhirUrl, scope: 'system/*.rs', clientId: 'x' })
  await server.fhir(foreign, 'Patient')
  await server.fhir(`${foreign.slice(0, -6)}AAAAAA`, 'Patient')
  await fetch(`${fhirUrl}/Patient?access_token=${foreign}`)
  await fetch(`${url}/oauth/authorize?client_id=partner&client_secret=${PARTNER_SECRET}`)
  await fetch(`${url}/oauth/${foreign}`)
  await fetch(`${server.adminUrl}/clients/${foreign}`, {
    headers: { authorization: `Bearer ${foreign}` },
  })
  const wrong = 'a wrong secret that somebody typed'
  watched.note('a wrong secret', wrong)
  await fetch(tokenUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`partner:${wrong}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  await fetch(tokenUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: 'partner', client_secret: PARTNER_SECRET }),
  })
  await server.adminCall('POST', '/users', { username: 'x', password: 'short' })
  await server.adminCall('POST', '/keys', { name: 'broken', key: `no key: ${PARTNER_SECRET}` })
  await server.adminCall('POST', '/explain', {
    token: foreign,
    method: 'GET',
    url: `${fhirUrl}/Patient`,
  })
}

describe('after a day with every kind of secret and token, none is in', () => {
  test('the log, at its most talkative level', () => {
    assert.ok(server.log.length > 10)
    assert.deepEqual(watched.foundIn(server.log.join('\n')), [])
  })

  test('any answer of the admin API that only tells', async () => {
    const paths = [
      ...['/clients', '/clients/partner', '/registration-tokens', '/grants', '/users', '/traces'],
      ...['/doctor', '/secrets/master-key', '/audit/verification', '/connections'],
      ...['/connections/lab', '/connections/down', '/signing-keys', '/keys', '/keys/partner'],
      ...['/status', '/openapi.json'],
    ]
    for (const path of paths) {
      const response = await server.adminCall('GET', path)
      const text = await response.text()
      assert.equal(response.status, 200, `${path}: ${text}`)
      assert.deepEqual(watched.foundIn(text), [], path)
    }
  })

  test('the metrics', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    assert.match(text, /scopegate_/)
    assert.deepEqual(watched.foundIn(text), [])
  })

  test('any table, traces and audit among them, as text', async () => {
    for (const [table, text] of await dump()) assert.deepEqual(watched.foundIn(text), [], table)
  })

  test('the configuration, printed in whatever way', () => {
    const config = readConfig(
      { configFile: server.configFile },
      { LAB_SECRET, CONFORMANCE_DATABASE: server.databaseUrl },
    )
    const shown = shownSettings(config.settings)
    for (const text of [inspect(config, { depth: 20 }), JSON.stringify(config), inspect(shown)]) {
      assert.deepEqual(watched.foundIn(text), [])
    }
  })

  test('while all of that would have been found', async () => {
    const kinds = new Set(watched.kinds())
    for (const kind of ['access_token', 'refresh_token', 'id_token', 'client_secret', 'code']) {
      assert.ok(kinds.has(kind), kind)
    }
    for (const form of ['Bearer', 'cookie', 'client_assertion', 'password']) {
      assert.ok(kinds.has(form), form)
    }
    const wrapped = `x${Buffer.from(`user:${PARTNER_SECRET}!`).toString('base64')}x`
    assert.deepEqual(watched.foundIn(wrapped), ['secret of a client in the file'])
  })
})

test('what is sealed stands in no column but those that are declared', async () => {
  const declared = new Set(SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`))
  declared.add('sealing_key.proof')
  const columns = await server.sql(
    `SELECT table_name AS t, column_name AS c FROM information_schema.columns
      WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'json', 'ARRAY')`,
  )
  const holding: string[] = []
  for (const { t, c } of columns) {
    const [row] = await server.sql(
      `SELECT count(*)::int AS n FROM "${t}"
        WHERE "${c}"::text ~ 'v1\\.[A-Za-z0-9_-]{8}\\.[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]{22}'`,
    )
    if (Number(row?.n) > 0) holding.push(`${t}.${c}`)
  }
  assert.deepEqual(
    holding.filter((name) => !declared.has(name)),
    [],
  )
  for (const name of ['engine_model.payload', 'identity_user.sealed_password', 'sign_key.sealed']) {
    assert.ok(holding.includes(name), name)
  }
})

test('a change of the master key seals all of it anew, and it is used as before', async () => {
  const app = await server.app({ scopes: SCOPE })
  const person = await server.user()
  const { token } = await server.launch(app, person, { scope: SCOPE })
  const { current, former } = await server.admin<{ current: string; former: string[] }>(
    'POST',
    '/secrets/master-key/change',
    {},
  )
  assert.equal(former.length, 1)
  const status = await until(
    () => server.admin<{ state: string; unreadable: number }>('GET', '/secrets/master-key'),
    ({ state }) => state === 'done' || state === 'blocked',
    120_000,
  )
  assert.deepEqual([status.state, status.unreadable], ['done', 0])
  for (const { table, column } of SEALED_COLUMNS) {
    const [row] = await server.sql(
      `SELECT count(*)::int AS n FROM ${table} WHERE left(${column}, 12) <> $1`,
      [`v1.${current}.`],
    )
    assert.equal(row?.n, 0, `${table}.${column}`)
  }
  const refreshed = await app.refresh(token.refresh_token ?? '')
  assert.equal(refreshed.status, 200)
  await server.launch(app, person, { scope: SCOPE })
  assert.equal((await at.token('lab')).status, 200)
  assert.equal((await server.adminCall('GET', '/audit/verification')).status, 200)
})

async function dump(): Promise<readonly (readonly [string, string])[]> {
  const tables = await server.sql(
    `SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  )
  const dumped: (readonly [string, string])[] = []
  for (const { name } of tables) {
    const rows = await server.sql(`SELECT row_to_json(t)::text AS row FROM "${name}" t`)
    dumped.push([String(name), rows.map(({ row }) => row).join('\n')])
  }
  return dumped
}
