import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { ConfidentialClientApplication } from '@azure/msal-node'
import { ClientCredentials } from 'simple-oauth2'
import { openSmartServer } from './support/open-smart-server.ts'

// Clients that were not written here: https://github.com/AzureAD/microsoft-authentication-library-for-js
// and https://github.com/lelylan/simple-oauth2
const SCOPE = 'system/Patient.rs'

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: SCOPE, as: 'secret', grants: ['client_credentials'] })
const [clientId, clientSecret] = [app.clientId, app.secret ?? '']

describe('@azure/msal-node', () => {
  test('client credentials: a token, used, and taken from its cache the second time', async (t) => {
    // It asks anew 300 seconds ahead of the end of a token, and ours live for 300: by then a second has ended.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    // It takes https only, so what it asks for over https is sent to where the server listens.
    const authority = server.url.replace('http:', 'https:')
    const metadata = await (await fetch(`${server.url}/.well-known/openid-configuration`)).text()
    const asHttps = JSON.stringify(JSON.parse(metadata.replaceAll('http://', 'https://')))
    const send = async (url: string, options?: { headers?: object; body?: string }) => {
      const response = await fetch(url.replace('https:', 'http:'), {
        method: options?.body === undefined ? 'GET' : 'POST',
        headers: { ...options?.headers },
        ...(options?.body !== undefined && { body: options.body }),
      })
      return {
        headers: Object.fromEntries(response.headers),
        body: await response.json(),
        status: response.status,
      } as never
    }
    const client = new ConfidentialClientApplication({
      auth: {
        clientId,
        clientSecret,
        authority,
        authorityMetadata: asHttps,
        knownAuthorities: [new URL(authority).host],
      },
      system: {
        protocolMode: 'OIDC',
        networkClient: { sendGetRequestAsync: send, sendPostRequestAsync: send },
      },
    } as never)
    const first = await client.acquireTokenByClientCredential({ scopes: [SCOPE] })
    assert.ok(first?.accessToken)
    assert.equal((await server.fhir(first.accessToken, 'Patient/patient-1')).status, 200)
    const second = await client.acquireTokenByClientCredential({ scopes: [SCOPE] })
    assert.equal(second?.fromCache, true)
  })
})

describe('simple-oauth2', () => {
  for (const authorizationMethod of ['header', 'body'] as const) {
    test(`client credentials, in the ${authorizationMethod}`, async () => {
      const client = new ClientCredentials({
        client: { id: clientId, secret: clientSecret },
        auth: { tokenHost: server.url, tokenPath: new URL(server.tokenUrl).pathname },
        options: { authorizationMethod },
      })
      const { token } = await client.getToken({ scope: SCOPE })
      const response = await server.fhir(String(token.access_token), 'Patient/patient-1')
      assert.equal(response.status, 200)
    })
  }
})
