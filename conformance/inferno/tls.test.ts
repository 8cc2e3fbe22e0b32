import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { connect, type SecureVersion } from 'node:tls'
import { browserOf, openSmartServer } from '../support/open-smart-server.ts'

// Ported from Inferno's `smart_tls` as its groups run it on the authorize and the token endpoint
// (`standalone_auth_tls`, `standalone_token_tls`, `ehr_auth_tls`, `ehr_token_tls`,
// `smart_backend_services_token_tls_version`): TLS 1.2 and later, nothing earlier.
const server = await openSmartServer({ tls: true })
after(() => server.close())

function negotiate(version: SecureVersion): Promise<string | null> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      minVersion: version,
      maxVersion: version,
      // So that this side would be ready to speak the old ones.
      ciphers: 'DEFAULT:@SECLEVEL=0',
    })
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol())
      socket.end()
    })
    socket.once('error', reject)
  })
}

describe('smart_tls', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version} is spoken`, async () => {
      assert.equal(await negotiate(version), version)
    })
  }
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    test(`${version} is not`, async () => {
      await assert.rejects(negotiate(version))
    })
  }
})

describe('a launch over https', () => {
  test('its cookies are bound to the host, and only sent over https', async () => {
    const scope = 'launch/patient openid patient/Patient.rs'
    const app = await server.app({ scopes: scope })
    const browser = browserOf(server)
    const { token } = await server.launch(app, await server.user(), {
      scope,
      patient: 'patient-1',
      browser,
    })
    assert.equal(token.patient, 'patient-1')
    const session = browser.cookies.list().find(({ name }) => name === '__Host-scopegate_session')
    assert.ok(session, 'the session has the prefix __Host-')
    for (const { name, attributes } of browser.cookies.list()) {
      assert.ok(attributes.has('secure'), name)
      assert.ok(attributes.has('httponly'), name)
      assert.equal(attributes.get('domain'), undefined, name)
    }
  })

  test('58 browsers are told to stay on https', async () => {
    for (const url of [server.url, server.tokenUrl, `${server.url}/account`]) {
      const { headers } = await fetch(url, { redirect: 'manual' })
      assert.match(headers.get('strict-transport-security') ?? '', /max-age=\d{7,}/, url)
    }
  })

  test('58 plain http gets no answer', async () => {
    await assert.rejects(fetch(server.url.replace('https:', 'http:')))
  })
})
