import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createLabKey } from '@scopegate/lab'
import type { Send } from './support/browser.ts'
import { clientAssertion, JWT_BEARER } from './support/client-assertion.ts'
import { dpopProof } from './support/dpop-proof.ts'
import { authorizeInBrowser, codeOf } from './support/launch-app.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { createSmartApp } from './support/smart-app.ts'

// Two processes of one installation on one PostgreSQL serve one flow, whichever gets a request; and
// what they keep there opens nothing.
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'

const server = await openSmartServer()
const sibling = await server.sibling()
after(async () => {
  await sibling.close()
  await server.close()
})
const person = await server.user()

/** As a load balancer without sticky sessions: in turns. */
let turn = 0
const anywhere = (url: string) => {
  turn += 1
  return turn % 2 === 0 ? url : url.replace(server.url, sibling.listenUrl)
}
const send: Send = (url, init) => fetch(anywhere(url), init)

/** The same app, whose calls go to the servers in turns. */
function everywhere(app: Awaited<ReturnType<typeof server.app>>) {
  const at = (base: string) =>
    createSmartApp(app, {
      tokenUrl: server.tokenUrl.replace(server.url, base),
      fhirUrl: server.fhirUrl,
      authorizeUrl: server.authorizeUrl,
    })
  const apps = [at(server.url), at(sibling.listenUrl)]
  return () => apps[turn++ % 2]!
}

test('a whole launch, each request at the other server than the one before', async () => {
  const app = await server.app({ scopes: SCOPE })
  const next = everywhere(app)
  const browser = browserOf(server, send)
  const request = app.authorize({ scope: SCOPE })
  const away = await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
  assert.equal(away.away.searchParams.get('iss'), server.url)
  const { status, json } = await next().exchange(codeOf(away, request), request)
  assert.equal(status, 200, JSON.stringify(json))
  let refreshToken = json.refresh_token ?? ''
  for (let round = 0; round < 4; round++) {
    const refreshed = await next().refresh(refreshToken)
    assert.equal(refreshed.status, 200)
    assert.equal(refreshed.json.patient, 'patient-1')
    refreshToken = refreshed.json.refresh_token ?? ''
    for (const base of [server.url, sibling.listenUrl]) {
      const read = await fetch(`${server.fhirUrl.replace(server.url, base)}/Patient/patient-1`, {
        headers: { authorization: `Bearer ${refreshed.json.access_token}` },
      })
      assert.equal(read.status, 200)
    }
  }
})

describe('of many at once, on both servers, one wins', () => {
  const MANY = 20

  test('a proof of possession', async () => {
    const key = createLabKey('ES256')
    const scopes = 'system/Patient.rs'
    const app = await server.app({ as: 'secret', scopes, grants: ['client_credentials'] })
    const { json } = await app.clientCredentials(scopes, {
      set: { resource: server.fhirUrl },
      headers: { dpop: dpopProof(key, 'POST', server.tokenUrl) },
    })
    assert.equal(json.token_type, 'DPoP')
    const token = json.access_token ?? ''
    const at = `${server.fhirUrl}/Patient`
    const headers = {
      authorization: `DPoP ${token}`,
      dpop: dpopProof(key, 'GET', at, { token }),
    }
    const answers = await Promise.all(
      Array.from({ length: MANY }, () => fetch(anywhere(at), { headers })),
    )
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [200, ...Array(MANY - 1).fill(401)])
  })

  test('a code', async () => {
    const app = await server.app({ scopes: SCOPE })
    const next = everywhere(app)
    const request = app.authorize({ scope: SCOPE })
    const away = await authorizeInBrowser(browserOf(server), request, person, {
      patient: 'patient-1',
    })
    const code = codeOf(away, request)
    const answers = await Promise.all(
      Array.from({ length: MANY }, () => next().exchange(code, request)),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  })

  test('a refresh: one answer for all', async () => {
    const app = await server.app({ scopes: SCOPE })
    const next = everywhere(app)
    const { token } = await server.launch(app, person, { scope: SCOPE, patient: 'patient-1' })
    const answers = await Promise.all(
      Array.from({ length: MANY }, () => next().refresh(token.refresh_token ?? '')),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(new Set(answers.map(({ json }) => json.refresh_token)).size, 1)
    assert.equal((await next().refresh(answers[0]?.json.refresh_token ?? '')).status, 200)
  })

  test('a client assertion', async () => {
    const scope = 'system/Patient.rs'
    const app = await server.app({ scopes: scope, as: 'RS384', grants: ['client_credentials'] })
    const next = everywhere(app)
    const client_assertion = clientAssertion(
      { clientId: app.clientId, key: app.key! },
      server.tokenUrl,
    )
    const set = { client_assertion, client_assertion_type: JWT_BEARER }
    const answers = await Promise.all(
      Array.from({ length: MANY }, () => next().clientCredentials(scope, { set })),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.equal((await next().clientCredentials(scope, { set })).json.error, 'invalid_client')
  })

  test('an EHR launch handle', async () => {
    const EHR = 'launch openid patient/Patient.rs'
    const app = await server.app({ scopes: EHR })
    const launch = await server.ehrLaunch(app, person, { patient: 'patient-1' })
    const attempts = await Promise.all(
      Array.from({ length: 4 }, () => {
        const request = app.authorize({ scope: EHR, launch })
        return authorizeInBrowser(browserOf(server, send), request, person, {})
      }),
    )
    const codes = attempts.map(({ away }) => away.searchParams.get('code'))
    assert.equal(codes.filter((code) => code !== null).length, 1)
  })
})

test('what one server revokes, the other refuses', async () => {
  const app = await server.app({ scopes: SCOPE, as: 'secret' })
  const { accessToken, token } = await server.launch(app, person, {
    scope: SCOPE,
    patient: 'patient-1',
  })
  const elsewhere = `${server.fhirUrl.replace(server.url, sibling.listenUrl)}/Patient/patient-1`
  const headers = { authorization: `Bearer ${accessToken}` }
  assert.equal((await fetch(elsewhere, { headers })).status, 200)
  await app.post(server.configuration.revocation_endpoint, { token: token.refresh_token ?? '' })
  await eventually(async () => (await fetch(elsewhere, { headers })).status === 401)
})

test('36 no value that opens something is in the database', async () => {
  const app = await server.app({ scopes: SCOPE, as: 'secret' })
  const browser = browserOf(server)
  const launched = await server.launch(app, person, { scope: SCOPE, patient: 'patient-1', browser })
  const refreshed = await app.refresh(launched.token.refresh_token ?? '')
  const unused = app.authorize({ scope: SCOPE })
  const away = await authorizeInBrowser(browser, unused, person, { patient: 'patient-1' })
  const handle = await server.ehrLaunch(
    await server.app({ scopes: 'launch patient/Patient.rs' }),
    person,
    { patient: 'patient-1' },
  )
  const live: Record<string, string | undefined> = {
    code: codeOf(away, unused),
    'used code': launched.code,
    verifier: launched.request.verifier,
    'access token': launched.accessToken,
    'refresh token': refreshed.json.refresh_token,
    'used refresh token': launched.token.refresh_token,
    'ID token': launched.token.id_token,
    'client secret': app.secret,
    password: person.password,
    'launch handle': handle,
  }
  for (const { name, value } of browser.cookies.list()) {
    live[`cookie ${name}`] = value
  }
  const dump = await dumpOf()
  for (const [name, value] of Object.entries(live)) {
    assert.ok(value !== undefined && value.length >= 16, name)
    const forms = [value, Buffer.from(value).toString('hex'), Buffer.from(value).toString('base64')]
    for (const form of forms) assert.ok(!dump.includes(form), `${name} is in the database`)
    // Without the part that says what it is, and of a JWT its signature.
    const bare = value.split(/[._]/).at(-1) ?? ''
    if (bare.length >= 16) assert.ok(!dump.includes(bare), `${name} is in the database`)
  }
})

/** Every row of every table, as text. */
async function dumpOf(): Promise<string> {
  const tables = await server.sql(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name
       FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  )
  assert.ok(tables.length > 5)
  const dumps: string[] = []
  for (const { name } of tables) {
    const rows = await server.sql(`SELECT t::text AS row FROM ${name} t`)
    dumps.push(...rows.map(({ row }) => String(row)))
  }
  return dumps.join('\n')
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 30_000
  while (!(await condition())) {
    assert.ok(Date.now() < until, 'within half a minute')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
