import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AdminApiDeps, createAdminApi } from '@scopegate/admin-api'
import type { AdminEvent } from '@scopegate/audit'
import type { ClientChange, ClientView, NewClient, NewLaunch } from '@scopegate/oauth-model'

const SERVER = 'http://127.0.0.1:8080'
const SCOPES =
  'admin/clients.read admin/clients.write admin/launches.write admin/grants.read admin/grants.write'

const app: ClientView = {
  clientId: 'app',
  name: 'Growth chart',
  source: 'stored',
  grants: ['authorization_code', 'refresh_token'],
  scopes: 'launch openid patient/Observation.rs offline_access',
  authentication: 'none',
  public: true,
  native: false,
  redirectUris: ['https://app.example/cb'],
  postLogoutRedirectUris: [],
  launchUrl: 'https://app.example/launch?from=ehr',
  origins: ['https://app.example'],
  dpopBound: false,
  requirePar: false,
  consent: 'ask',
  disabled: false,
  createdAt: 1,
}
const { launchUrl: _, ...withoutLaunchUrl } = app
const others: readonly ClientView[] = [
  { ...withoutLaunchUrl, clientId: 'plain' },
  { ...app, clientId: 'asleep', disabled: true },
  { ...app, clientId: 'standalone', scopes: 'openid patient/Observation.rs' },
  { ...app, clientId: 'bound', dpopBound: true },
  { ...app, clientId: 'operator', scopes: 'admin/backup.write' },
]

const USERS = [
  { id: 'u_1', username: 'anna', disabled: false },
  { id: 'u_2', username: 'gone', disabled: true },
]

/** The admin API over ports that note what they are asked. */
function setUp(more: Partial<AdminApiDeps> = {}) {
  const audited: AdminEvent[] = []
  const added: NewClient[] = []
  const changed: ClientChange[] = []
  const launched: NewLaunch[] = []
  const asked: unknown[][] = []
  const deps = {
    url: `${SERVER}/admin/api`,
    issuer: SERVER,
    verifier: {
      verify: async () => ({
        ok: true,
        checks: [],
        token: { issuer: SERVER, subject: 'cli', clientId: 'cli', scope: SCOPES },
      }),
    },
    clients: {
      list: async () => [app],
      find: async (id: string) => [app, ...others].find(({ clientId }) => clientId === id),
      add: async (wanted: NewClient) => {
        added.push(wanted)
        const { jwks: __, ...members } = wanted
        const client = { ...withoutLaunchUrl, ...members, clientId: 'new', public: false }
        return { ok: true, client: { ...client, authentication: 'secret' }, clientSecret: 's3cret' }
      },
      update: async (id: string, change: ClientChange) => {
        changed.push(change)
        return id === 'asleep'
          ? { ok: false, status: 409, why: 'it is declared', fix: 'change it there' }
          : { ok: true, client: app }
      },
    },
    addresses: {
      issuer: SERVER,
      authorizationEndpoint: `${SERVER}/oauth/authorize`,
      tokenEndpoint: `${SERVER}/oauth/token`,
      deviceEndpoint: `${SERVER}/oauth/device`,
      fhir: `${SERVER}/fhir/r4`,
    },
    launches: {
      create: async (launch: NewLaunch) => {
        launched.push(launch)
        return { launch: 'sgl_handle', expiresAt: 1000 + (launch.seconds ?? 300) }
      },
    },
    grants: {
      list: async (query: unknown) => {
        asked.push(['list', query])
        return [
          {
            ...{ id: 'g1', clientId: 'app', userId: 'u_1', scopes: ['openid', 'launch'] },
            ...{ patient: 'p1', createdAt: 5 },
          },
        ]
      },
      revoke: async (id: string) => id === 'g1',
      revokeAllOf: async (id: string) => asked.push(['user', id]),
      revokeAllOfClient: async (id: string) => asked.push(['client', id]),
    },
    users: {
      find: async (id: string) => USERS.find((user) => user.id === id),
      findByUsername: async (name: string) => USERS.find(({ username }) => username === name),
    },
    audit: { recordAdmin: async (event: AdminEvent) => void audited.push(event) },
    nowMs: () => 1_000_000,
    ...more,
  }
  const api = createAdminApi(deps as unknown as AdminApiDeps)
  async function call(method: string, path: string, body?: unknown) {
    const response = await api.fetch(
      new Request(`${SERVER}/admin/api${path}`, {
        method,
        headers: { authorization: 'Bearer x' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
    return { status: response.status, text, json: (isJson ? JSON.parse(text) : undefined) as any }
  }
  return { call, audited, added, changed, launched, asked }
}

describe('POST /clients', () => {
  test('takes every member of a registration, and grants by the rest', async () => {
    const { call, added } = setUp()
    const members = {
      client_id: 'mine',
      name: 'App',
      scopes: ['openid', 'launch', 'patient/*.rs', 'offline_access'],
      redirect_uris: ['https://app.example/cb'],
      post_logout_redirect_uris: ['https://app.example/bye'],
      launch_url: 'https://app.example/launch',
      origins: ['https://app.example'],
      dpop_bound_access_tokens: false,
      require_pushed_authorization_requests: true,
      backchannel_logout_uri: 'https://app.example/out',
      logo_uri: 'https://app.example/logo',
      client_uri: 'https://app.example/',
      policy_uri: 'https://app.example/policy',
      tos_uri: 'https://app.example/tos',
      consent: 'remember',
      access_token_seconds: 60,
      refresh_token_seconds: 600,
    }
    const { status, json } = await call('POST', '/clients', members)
    assert.equal(status, 201)
    assert.deepEqual(added[0], {
      clientId: 'mine',
      name: 'App',
      scopes: 'openid launch patient/*.rs offline_access',
      grants: ['authorization_code', 'refresh_token'],
      redirectUris: members.redirect_uris,
      postLogoutRedirectUris: members.post_logout_redirect_uris,
      launchUrl: members.launch_url,
      origins: members.origins,
      dpopBound: false,
      requirePar: true,
      backchannelLogoutUri: members.backchannel_logout_uri,
      logoUri: members.logo_uri,
      clientUri: members.client_uri,
      policyUri: members.policy_uri,
      tosUri: members.tos_uri,
      consent: 'remember',
      accessTokenSeconds: 60,
      refreshTokenSeconds: 600,
    })
    for (const [member, value] of Object.entries(members)) {
      if (member !== 'client_id' && member !== 'scopes')
        assert.deepEqual(json[member], value, member)
    }
  })

  test('hands over the token endpoint, links to the kit, a line for curl, an environment', async () => {
    const { call } = setUp()
    const { json } = await call('POST', '/clients', {
      name: 'postman',
      grants: ['client_credentials'],
      scopes: ['system/*.rs'],
    })
    assert.equal(json.client_secret, 's3cret')
    assert.equal(json.token_endpoint, `${SERVER}/oauth/token`)
    assert.deepEqual(Object.keys(json.kit), ['curl', 'postman', 'environment', 'http', 'bruno'])
    assert.equal(json.kit.postman, `${SERVER}/admin/api/clients/new/kit/postman`)
    assert.match(json.curl, /^curl .*new:s3cret.*\/fhir\/r4\/Patient\?_summary=count'$/)
    const secret = json.environment.values.find(
      ({ key }: { key: string }) => key === 'client_secret',
    )
    assert.deepEqual([secret.value, secret.type], ['s3cret', 'secret'])
  })

  for (const [member, value] of [
    ['redirect_uris', 7],
    ['redirect_uris', ['https://a.example', 7]],
    ['public', 'yes'],
    ['access_token_seconds', '60'],
    ['launch_url', 7],
    ['jwks', 'keys'],
    ['redirect_uri', 'https://a.example'],
  ] as const) {
    test(`refuses ${member} as ${JSON.stringify(value)} by name`, async () => {
      const { call, added } = setUp()
      const { status, text } = await call('POST', '/clients', {
        name: 'x',
        scopes: 'system/*.rs',
        [member]: value,
      })
      assert.equal(status, 400)
      assert.ok(text.includes(`\`${member}\``), text)
      assert.deepEqual(added, [])
    })
  }
})

describe('PATCH /clients/:id', () => {
  test('passes on what is named, null as null, and says what changed in the audit', async () => {
    const { call, changed, audited } = setUp()
    const body = {
      name: 'Other',
      launch_url: null,
      disabled: true,
      redirect_uris: ['https://b.example/'],
    }
    const { status } = await call('PATCH', '/clients/app', body)
    assert.equal(status, 200)
    assert.deepEqual(changed, [
      { name: 'Other', launchUrl: null, disabled: true, redirectUris: ['https://b.example/'] },
    ])
    assert.deepEqual(
      [audited[0]?.action, audited[0]?.target, audited[0]?.detail],
      ['client.change', 'client/app', { changed: Object.keys(body) }],
    )
  })

  test('answers as the registry does, 404 for none, 400 for a misspelt member', async () => {
    const { call } = setUp()
    assert.equal((await call('PATCH', '/clients/asleep', { name: 'x' })).status, 409)
    assert.equal((await call('PATCH', '/clients/nobody', { name: 'x' })).status, 404)
    assert.equal((await call('PATCH', '/clients/app', { nam: 'x' })).status, 400)
  })

  test('gives no admin scope, and does not touch clients that have more than the caller', async () => {
    const { call, changed } = setUp()
    assert.equal((await call('PATCH', '/clients/app', { scopes: 'admin/keys.write' })).status, 403)
    assert.equal((await call('PATCH', '/clients/operator', { public: true })).status, 403)
    assert.deepEqual(changed, [])
  })
})

describe('GET /clients/:id/kit', () => {
  test('gives each part in its form, and none with a secret', async () => {
    const { call } = setUp()
    const curl = await call('GET', '/clients/app/kit/curl')
    assert.match(curl.text, /^#!\/bin\/sh/)
    const postman = await call('GET', '/clients/app/kit/postman')
    assert.match(postman.json.info.schema, /v2\.1\.0/)
    const environment = await call('GET', '/clients/app/kit/environment')
    assert.equal(environment.json._postman_variable_scope, 'environment')
    const http = await call('GET', '/clients/app/kit/http')
    assert.match(http.text, /\$auth\.token\("user"\)/)
    const bruno = await call('GET', '/clients/app/kit/bruno')
    assert.ok(bruno.json.files['bruno.json'])
    const whole = await call('GET', '/clients/app/kit')
    assert.equal(whole.json.files['curl.sh'], curl.text)
    assert.equal(whole.json.files['.env'], undefined, 'a public client has nothing to hide')
    const nothing = await call('GET', '/clients/app/kit/excel')
    assert.equal(nothing.status, 404)
    assert.match(nothing.text, /curl, postman, environment, http, bruno/)
  })

  test('does not exist for a client that must use DPoP', async () => {
    const { call } = setUp()
    const { status, text } = await call('GET', '/clients/bound/kit/postman')
    assert.equal(status, 409)
    assert.match(text, /DPoP/)
    assert.equal((await call('GET', '/clients/bound')).json.kit, undefined)
  })
})

describe('POST /launches', () => {
  const context = {
    patient: 'p1',
    encounter: 'e1',
    fhirContext: [{ reference: 'ImagingStudy/1' }],
    intent: 'review',
    need_patient_banner: false,
    smart_style_url: 'https://ehr.example/style.json',
    tenant: 'north',
  }

  test('makes a handle and the address to open', async () => {
    const { call, launched, audited } = setUp()
    const { status, json } = await call('POST', '/launches', {
      ...context,
      client_id: 'app',
      user: 'anna',
      expires_in: 60,
    })
    assert.equal(status, 201)
    assert.deepEqual(launched, [{ clientId: 'app', userId: 'u_1', context, seconds: 60 }])
    assert.deepEqual([json.launch, json.expires_in], ['sgl_handle', 60])
    const url = new URL(json.launch_url)
    assert.equal(url.origin + url.pathname, 'https://app.example/launch')
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      from: 'ehr',
      iss: `${SERVER}/fhir/r4`,
      launch: 'sgl_handle',
    })
    const entry = JSON.stringify(audited)
    assert.match(entry, /"launch\.create".*"client\/app"/)
    assert.ok(!entry.includes('p1') && !entry.includes('sgl_handle'))
  })

  test('without a launch URL, the iss and the handle have to do', async () => {
    const { call } = setUp()
    const { json } = await call('POST', '/launches', { client_id: 'plain', patient: 'p1' })
    assert.deepEqual([json.launch_url, json.iss], [undefined, `${SERVER}/fhir/r4`])
  })

  test('names its client, unless the server is told otherwise', async () => {
    const strict = setUp()
    assert.equal((await strict.call('POST', '/launches', { patient: 'p1' })).status, 400)
    const open = setUp({ launchAnyClient: true })
    assert.equal((await open.call('POST', '/launches', { patient: 'p1' })).status, 201)
    assert.deepEqual(open.launched, [{ context: { patient: 'p1' } }])
  })

  for (const [body, status, says] of [
    [{ client_id: 'nobody' }, 404, /no client/],
    [{ client_id: 'asleep' }, 409, /disabled/],
    [{ client_id: 'standalone' }, 409, /`launch`/],
    [{ client_id: 'app', patient: 'Patient/1' }, 400, /patient: not the id/],
    [{ client_id: 'app', fhirContext: [{ reference: 'Patient/1' }] }, 400, /fhirContext\[0\]/],
    [{ client_id: 'app', expires_in: 301 }, 400, /expires_in/],
    [{ client_id: 'app', expires_in: 0 }, 400, /expires_in/],
    [{ client_id: 'app', user: 'nobody' }, 404, /no user/],
    [{ client_id: 'app', user: 'u_2' }, 409, /disabled/],
    [{ client_id: 'app', sub: 'u_2' }, 400, /unknown members: `sub`/],
  ] as const) {
    test(`refuses ${JSON.stringify(body)}`, async () => {
      const { call, launched } = setUp()
      const answer = await call('POST', '/launches', body)
      assert.equal(answer.status, status)
      assert.match(answer.json.detail, says)
      assert.deepEqual(launched, [])
    })
  }
})

describe('grants', () => {
  test('are listed by user and client', async () => {
    const { call, asked } = setUp()
    const { json } = await call('GET', '/grants?user=anna&client=app')
    assert.deepEqual(asked, [['list', { userId: 'u_1', clientId: 'app' }]])
    assert.deepEqual(json.grants, [
      {
        ...{ id: 'g1', user: 'u_1', client_id: 'app', scope: 'openid launch' },
        ...{ patient: 'p1', created_at: 5 },
      },
    ])
    assert.equal((await call('GET', '/grants?usr=u_1')).status, 400)
  })

  test('end one by one, or all of a user or a client; never all there are', async () => {
    const { call, asked, audited } = setUp()
    assert.equal((await call('DELETE', '/grants/g1')).status, 200)
    assert.equal((await call('DELETE', '/grants/g2')).status, 404)
    assert.equal((await call('DELETE', '/grants?user=u_1')).json.revoked, 1)
    assert.equal((await call('DELETE', '/grants?client=app')).json.revoked, 2)
    assert.equal((await call('DELETE', '/grants')).status, 400)
    assert.equal((await call('DELETE', '/grants?user=u_1&client=app')).status, 400)
    assert.deepEqual(asked, [
      ['user', 'u_1'],
      ['client', 'app'],
    ])
    assert.deepEqual(
      audited.map(({ action, decision, target }) => [action, decision, target]).slice(0, 3),
      [
        ['grant.revoke', 'permitted', 'grant/g1'],
        ['grant.revoke', 'failed', undefined],
        ['grant.revoke-all', 'permitted', 'user/u_1'],
      ],
    )
  })
})
