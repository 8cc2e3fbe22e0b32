import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from './support/open-smart-server.ts'
import { createSmartApp } from './support/smart-app.ts'

// Statement 54 of the security checklist, and dynamic registration as RFC 7591 and 7592 have it.
const SCOPE = 'launch/patient openid offline_access patient/Patient.rs'

const server = await openSmartServer()
after(() => server.close())
const endpoint = server.configuration.registration_endpoint ?? ''

async function initialToken(wish: object = {}): Promise<string> {
  const { initial_access_token } = await server.admin<{ initial_access_token: string }>(
    'POST',
    '/registration-tokens',
    {
      name: 'a vendor',
      scopes: `${SCOPE} patient/*.rs`,
      grants: ['authorization_code', 'refresh_token'],
      redirect_hosts: ['127.0.0.1', 'app.example'],
      uses: 5,
      ...wish,
    },
  )
  return initial_access_token
}

async function call(method: string, url: string, token: string | undefined, body?: object) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    json: (text === '' ? {} : JSON.parse(text)) as Record<string, string>,
  }
}

const METADATA = {
  client_name: 'Diary',
  redirect_uris: ['http://127.0.0.1:9/diary'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  scope: SCOPE,
}

test('the endpoint is published', () => {
  assert.ok(URL.canParse(endpoint))
})

test('who registers can launch, change the registration, and end it', async () => {
  const registered = await call('POST', endpoint, await initialToken(), METADATA)
  assert.equal(registered.status, 201, JSON.stringify(registered.json))
  assert.match(registered.headers.get('cache-control') ?? '', /no-store/)
  const {
    client_id = '',
    registration_client_uri = '',
    registration_access_token,
  } = registered.json
  const app = createSmartApp(
    { clientId: client_id, redirectUri: METADATA.redirect_uris[0]! },
    { tokenUrl: server.tokenUrl, fhirUrl: server.fhirUrl, authorizeUrl: server.authorizeUrl },
  )
  const { token } = await server.launch(app, await server.user(), {
    scope: SCOPE,
    patient: 'patient-1',
  })
  assert.equal(token.patient, 'patient-1')
  const read = await call('GET', registration_client_uri, registration_access_token)
  assert.equal(read.status, 200)
  assert.equal(read.json.client_name, 'Diary')
  const kept = read.json.registration_access_token ?? registration_access_token
  const removed = await call('DELETE', registration_client_uri, kept)
  assert.equal(removed.status, 204)
  assert.equal((await app.refresh(token.refresh_token ?? '')).status >= 400, true)
})

describe('54 registration is for those who may, within their policy', () => {
  test('without a token, with one that is none, with an access token: 401', async () => {
    const machine = await server.app({
      scopes: 'system/*.rs',
      as: 'secret',
      grants: ['client_credentials'],
    })
    const { json } = await machine.clientCredentials('system/*.rs')
    for (const token of [undefined, 'nope', json.access_token]) {
      assert.equal((await call('POST', endpoint, token, METADATA)).status, 401)
    }
  })

  const refused: Record<string, object> = {
    'a foreign host': { redirect_uris: ['https://evil.example/cb'] },
    'http elsewhere than on loopback': { redirect_uris: ['http://app.example/cb'] },
    'a wildcard': { redirect_uris: ['https://*.app.example/cb'] },
    'a script': { redirect_uris: ['javascript:alert(1)'] },
    data: { redirect_uris: ['data:text/html,x'] },
    'no redirect URI': { redirect_uris: [] },
    'scopes beyond the policy': { scope: `${SCOPE} user/*.cruds` },
    'system scopes': { scope: 'system/*.rs' },
    'admin scopes': { scope: 'admin/clients.write' },
    'another grant': { grant_types: ['client_credentials'] },
    'the implicit grant': { grant_types: ['implicit'], response_types: ['token'] },
    'a key set inside the network': {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'http://169.254.169.254/latest',
    },
    'a logo elsewhere': { logo_uri: 'https://evil.example/logo.svg' },
  }
  for (const [name, members] of Object.entries(refused)) {
    test(`${name}: 400`, async () => {
      const { status, json } = await call('POST', endpoint, await initialToken(), {
        ...METADATA,
        ...members,
      })
      assert.equal(status, 400, JSON.stringify(json))
      assert.match(json.error ?? '', /^invalid_/)
    })
  }

  test('a client cannot skip the consent, nor name its own id or secret', async () => {
    const { status, json } = await call('POST', endpoint, await initialToken(), {
      ...METADATA,
      client_id: 'chosen',
      client_secret: 'chosen',
      consent: 'skip',
    })
    if (status !== 201) return assert.equal(status, 400)
    assert.notEqual(json.client_id, 'chosen')
    const shown = await server.admin<{ consent: string }>('GET', `/clients/${json.client_id}`)
    assert.notEqual(shown.consent, 'skip')
  })

  test('a token is used up', async () => {
    const token = await initialToken({ uses: 1 })
    assert.equal((await call('POST', endpoint, token, METADATA)).status, 201)
    const second = await call('POST', endpoint, token, METADATA)
    assert.ok([401, 403, 429].includes(second.status), String(second.status))
  })

  test('the registration token of one client is useless for another', async () => {
    const [one, two] = [
      await call('POST', endpoint, await initialToken(), METADATA),
      await call('POST', endpoint, await initialToken(), METADATA),
    ]
    for (const method of ['GET', 'DELETE']) {
      const { status } = await call(
        method,
        two.json.registration_client_uri ?? '',
        one.json.registration_access_token,
      )
      assert.ok([401, 403].includes(status), String(status))
    }
  })
})
