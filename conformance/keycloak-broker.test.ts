import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createLabKey, publicJwk } from '@scopegate/lab'
import { openKeycloakAdmin } from './keycloak/keycloak-admin.ts'
import { openSmartServer, type SmartServer } from './support/open-smart-server.ts'
import { decodeJwt } from './support/smart-app.ts'

// Connections to a real Keycloak. Realm: keycloak/partners-realm.json, where refresh tokens work once.
const url = process.env.SCOPEGATE_KEYCLOAK_URL ?? ''
const skip = url === '' && 'SCOPEGATE_KEYCLOAK_URL is not set: run under tools/with-keycloak.sh'
const SECRET = 'the secret of lab-reader at keycloak'
const key = createLabKey('RS256')

/** A sign-in without a browser, to have a refresh token to begin with. */
async function signIn(): Promise<string> {
  const answer = await fetch(`${url}/realms/partners/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: 'lab-reader',
      client_secret: SECRET,
      username: 'rita',
      password: 'rita-has-a-password',
      scope: 'openid',
    }),
  })
  const { refresh_token } = (await answer.json()) as { refresh_token: string }
  return refresh_token
}

const connection = (name: string, ...more: readonly string[]) =>
  [
    `  - name: ${name}`,
    'preset: keycloak',
    `url: ${url}`,
    'realm: partners',
    ...(more.some((line) => line.startsWith('clientId')) ? [] : ['clientId: lab-reader']),
    ...(more.some((line) => line.startsWith('authentication'))
      ? []
      : ['authentication: { secrets: [env:KEYCLOAK_SECRET] }']),
    `upstream: ${url}/realms/partners/protocol/openid-connect`,
    ...more,
  ].join('\n    ')

async function openServer(): Promise<SmartServer> {
  const password = process.env.SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD ?? ''
  const admin = await openKeycloakAdmin(url, password, 'partners')
  await admin.addClient({
    clientId: 'by-key',
    serviceAccountsEnabled: true,
    clientAuthenticatorType: 'client-jwt',
    attributes: {
      'use.jwks.string': 'true',
      'jwks.string': JSON.stringify({ keys: [publicJwk(key)] }),
      'token.endpoint.auth.signing.alg': 'RS256',
    },
  })
  const byKey = 'authentication: { privateKey: env:PRIVATE_KEY }'
  const wrongAudience =
    'authentication: { privateKey: env:PRIVATE_KEY, audience: "https://elsewhere.example" }'
  const connections = [
    connection('with-openid', 'scopes: [openid]'),
    connection('without', 'scopes: []'),
    connection('wrong-secret', 'scopes: []', 'authentication: { secrets: [env:WRONG_SECRET] }'),
    connection('wrong-scope', 'scopes: [no-such-scope]'),
    connection('by-key', 'clientId: by-key', 'scopes: [openid]', byKey),
    connection(
      'for-the-token-endpoint',
      'clientId: by-key',
      'scopes: [openid]',
      byKey.replace(' }', ', audience: token-endpoint }'),
    ),
    connection('for-another', 'clientId: by-key', 'scopes: [openid]', wrongAudience),
    connection(
      'rita',
      'scopes: [openid]',
      'grant: refresh_token',
      'refreshToken: env:REFRESH_TOKEN',
    ),
  ]
  return openSmartServer({
    withoutSample: true,
    environment: {
      KEYCLOAK_SECRET: SECRET,
      WRONG_SECRET: 'another-secret-4c11',
      PRIVATE_KEY: JSON.stringify(key),
      REFRESH_TOKEN: await signIn(),
    },
    yaml: `connections:
${connections.join('\n')}
`,
  })
}

// At the top: a database that is opened in a hook ends with it.
const opened = skip ? undefined : await openServer()
after(() => opened?.close())

describe('connections to a real Keycloak', { skip }, () => {
  const server = opened as SmartServer
  const status = (name: string) =>
    server.admin<{
      readonly state: string
      readonly warnings: readonly string[]
      readonly scopes?: readonly string[]
      readonly lastFailure?: {
        readonly kind: string
        readonly code: string
        readonly provider?: { readonly description?: string }
      }
    }>('GET', `/connections/${name}`)
  const token = async (name: string, query = '') => {
    const answer = await server.adminCall('GET', `/connections/${name}/token${query}`)
    // biome-ignore lint/suspicious/noExplicitAny: what came is asserted on, member by member
    return { status: answer.status, json: (await answer.json()) as any }
  }
  const out = (path: string) => fetch(`${server.url}/out/${path}`)

  test('client credentials with `openid`: the ID token does no harm, userinfo answers', async () => {
    const answer = await out('with-openid/userinfo')
    assert.equal(answer.status, 200)
    const user = (await answer.json()) as { preferred_username: string }
    assert.equal(user.preferred_username, 'service-account-lab-reader')
    const { state, scopes, warnings } = await status('with-openid')
    assert.equal(state, 'fresh')
    assert.ok(scopes?.includes('openid'))
    assert.ok(warnings.includes('unexpected_id_token_ignored'), warnings.join())
  })

  test('without it userinfo refuses, and the refusal says which scope to add', async () => {
    const answer = await out('without/userinfo')
    assert.ok(answer.status === 401 || answer.status === 403, `${answer.status}`)
    assert.match(answer.headers.get('scopegate-diagnosis') ?? '', /openid/)
  })

  test('a key signs assertions with one audience: the issuer, and the token endpoint where that is set', async () => {
    for (const name of ['by-key', 'for-the-token-endpoint']) {
      const { status, json } = await token(name)
      assert.equal(status, 200, JSON.stringify(json))
      assert.equal(decodeJwt(json.access_token).claims.azp, 'by-key')
    }
  })

  test('its refusals are found in the catalogue, with its own words', async () => {
    const secret = await token('wrong-secret')
    assert.equal(secret.status, 502)
    assert.match(secret.json.failure.code, /^(keycloak|oauth)_/)
    assert.match(
      secret.json.failure.provider.description,
      /Invalid client or Invalid client credentials/,
    )
    const audience = await token('for-another')
    assert.match(audience.json.failure.code, /^keycloak_/)
    assert.match(audience.json.failure.fix, /audience/)
    const scope = await token('wrong-scope')
    assert.match(scope.json.failure.provider.description, /no-such-scope/)
    assert.match(scope.json.failure.code, /scope/)
  })

  test('a refresh token that works once is replaced at each use, by 20 callers at once too', async () => {
    // Its tokens live for 60 seconds, or for 59 where a second ends between issuing and answering.
    const tokens = new Set<string>()
    const untilMs = Date.now() + 120_000
    while (tokens.size < 3 && Date.now() < untilMs) {
      const startedMs = performance.now()
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => token('rita', '?minValidSeconds=56')),
      )
      const roundMs = performance.now() - startedMs
      for (const { status, json } of answers) assert.equal(status, 200, JSON.stringify(json))
      const inThisRound = new Set(answers.map(({ json }) => json.access_token as string))
      // A caller who comes just before the one that renews still gets the former. Where a round
      // takes long, the token that it began with is too old for those who come last.
      const most = 2 + Math.floor(roundMs / 3000)
      assert.ok(inThisRound.size <= most, `${inThisRound.size} tokens for 20 in ${roundMs} ms`)
      for (const each of inThisRound) tokens.add(each)
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.ok(tokens.size >= 3, `${tokens.size} tokens`)
    assert.equal((await out('rita/userinfo')).status, 200)
    assert.equal((await status('rita')).lastFailure, undefined)
  })

  test('another process goes on with the refresh token that the first one left', async () => {
    const sibling = await server.sibling()
    const answer = await fetch(`${sibling.listenUrl}/out/rita/userinfo`)
    assert.equal(answer.status, 200)
    assert.equal(
      ((await answer.json()) as { preferred_username: string }).preferred_username,
      'rita',
    )
    await sibling.close()
  })
})
