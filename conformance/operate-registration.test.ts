/** Apps that register themselves, launches and changes of clients, as an operator meets them. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { freePort } from '@scopegate/lab'
import { createOperator, type RunningServer } from './operating/operator.ts'

const operator = createOperator()
let server: RunningServer

before(async () => {
  const port = await freePort()
  const config = operator.file(
    'apps.yaml',
    `server: { url: "http://127.0.0.1:${port}" }
clients:
  - id: declared
    public: true
    redirectUris: [https://app.example/callback]
    launchUrl: https://app.example/launch
    scopes: launch openid patient/*.rs offline_access
    consent: remember
`,
  )
  server = await operator.up({ config, port })
})

const json = async (...args: string[]) => {
  const ran = await operator.scopegate(...args, '--json')
  assert.equal(ran.code, 0, ran.err)
  return JSON.parse(ran.out)
}
const refused = async (says: RegExp, ...args: string[]) => {
  const { code, err } = await operator.scopegate(...args)
  assert.equal(code, 1)
  assert.match(err, says)
}

test('a partner registers an app with a token of the operator, who keeps the last word', async () => {
  const { id, initial_access_token: initial } = await json(
    ...['registration-token', 'create', '--name', 'partner', '--uses', '1', '--expires', '600'],
    ...['--scopes', 'openid patient/*.rs', '--redirect-host', 'app.example'],
  )
  const discovery = await fetch(`${server.url}/.well-known/openid-configuration`)
  const { registration_endpoint: endpoint } = (await discovery.json()) as Record<string, string>
  const register = () =>
    fetch(String(endpoint), {
      method: 'POST',
      headers: { authorization: `Bearer ${initial}`, 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Partner', redirect_uris: ['https://app.example/cb'] }),
    })
  const answer = await register()
  assert.equal(answer.status, 201)
  const client = (await answer.json()) as Record<string, string>
  assert.equal((await register()).status, 401)
  const [token] = await json('registration-token', 'list')
  assert.deepEqual([token.id, token.uses_left], [id, 0])
  assert.ok(!JSON.stringify(token).includes(initial))

  const own = () =>
    fetch(String(client.registration_client_uri), {
      headers: { authorization: `Bearer ${client.registration_access_token}` },
    })
  assert.equal((await own()).status, 200)
  const shown = await json('client', 'show', String(client.client_id))
  assert.deepEqual([shown.source, shown.consent], ['dynamic', 'ask'])
  await refused(/registered itself/, 'client', 'set', shown.client_id, '--consent', 'skip')
  await json('client', 'set', shown.client_id, '--disable')
  assert.equal((await own()).status, 403)
  await json('client', 'remove', shown.client_id)
  assert.equal((await own()).status, 401)
  await json('registration-token', 'remove', id)
  assert.deepEqual(await json('registration-token', 'list'), [])
  for (const text of [initial, client.registration_access_token, client.client_secret]) {
    assert.ok(text && !server.stdout().includes(text) && !server.stderr().includes(text))
  }
})

test('a client of the configuration is what the file says, and changed only there', async () => {
  const shown = await json('client', 'show', 'declared')
  assert.deepEqual(
    [shown.source, shown.authentication, shown.consent, shown.grants, shown.origins],
    [
      'config',
      'none',
      'remember',
      ['authorization_code', 'refresh_token'],
      ['https://app.example'],
    ],
  )
  for (const args of [
    ['set', 'declared', '--disable'],
    ['rotate', 'declared'],
    ['remove', 'declared'],
  ]) {
    await refused(/declared in the configuration[\s\S]*change it there/, 'client', ...args)
  }
})

test('a client is changed in part, and each change is seen', async () => {
  const { client_id: id } = await json(
    ...['client', 'add', '--name', 'Growth chart', '--redirect-uri', 'https://app.example/a'],
    ...['--scopes', 'launch openid patient/*.rs', '--launch-url', 'https://app.example/launch'],
  )
  const changed = await json(
    ...['client', 'set', id, '--public', '--redirect-uri', 'https://app.example/b'],
    ...['--redirect-uri', 'com.example.app:/cb', '--access-token-seconds', '60', '--par'],
    ...['--unset', 'launch_url'],
  )
  const { redirect_uris, access_token_seconds, authentication, launch_url } = changed
  assert.deepEqual(redirect_uris, ['https://app.example/b', 'com.example.app:/cb'])
  assert.deepEqual([access_token_seconds, authentication, launch_url], [60, 'none', undefined])
  const closed = await json('client', 'set', id, '--confidential')
  assert.match(closed.client_secret, /^sgs_/)
  await refused(
    /fragment[\s\S]*fix:/,
    'client',
    'set',
    id,
    '--redirect-uri',
    'https://a.example/#x',
  )
  await refused(/nothing to change/, 'client', 'set', id)
  await refused(/no client/, 'client', 'set', 'nobody', '--par')
  await refused(/whole number/, 'client', 'set', id, '--access-token-seconds', 'soon')
})

test('a launch is an address to open', async () => {
  const file = operator.file('context.json', '[{"reference": "ImagingStudy/1"}]')
  const { code, out } = await operator.scopegate(
    ...['launch', 'create', '--client', 'declared', '--patient', 'p1', '--encounter', 'e1'],
    ...['--fhir-context', file, '--no-need-patient-banner', '--expires-in', '60'],
  )
  assert.equal(code, 0)
  const url = new URL(out.split('\n')[0] ?? '')
  assert.equal(url.origin + url.pathname, 'https://app.example/launch')
  assert.equal(url.searchParams.get('iss'), server.fhir)
  assert.match(url.searchParams.get('launch') ?? '', /^sgl_[A-Za-z0-9_-]{32}$/)
  assert.match(out, /it works once/)
  await refused(
    /patient: not the id/,
    'launch',
    'create',
    '--client',
    'declared',
    '--patient',
    'Patient/1',
  )
  await refused(/`client_id` is missing/, 'launch', 'create', '--patient', 'p1')
  await refused(/no user/, 'launch', 'create', '--client', 'declared', '--user', 'nobody')
})
