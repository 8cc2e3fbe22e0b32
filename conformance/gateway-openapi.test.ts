import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { openEchoApp } from './support/echo-app.ts'
import { openSmartServer } from './support/open-smart-server.ts'

// An API that is guarded by its OpenAPI description: security requirements become what a token needs,
// and of several requirements one is enough.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-openapi-'))
const responses = { 200: { description: 'done' } }
const description = {
  openapi: '3.1.0',
  info: { title: 'Bank', version: '1' },
  components: {
    securitySchemes: {
      oauth: {
        type: 'oauth2',
        flows: {
          clientCredentials: {
            tokenUrl: 'https://idp.example/token',
            scopes: { 'bank.read': 'See balances', 'bank.audit': 'Look at everything' },
          },
        },
      },
      bearer: { type: 'http', scheme: 'bearer' },
      key: { type: 'apiKey', in: 'header', name: 'X-Key' },
    },
  },
  security: [{ oauth: ['bank.read'] }],
  paths: {
    '/balance': { get: { responses } },
    '/statement': {
      get: {
        security: [{ oauth: ['bank.read', 'bank.pdf'] }, { oauth: ['bank.audit'] }],
        responses,
      },
    },
    '/keyed': { get: { security: [{ key: [] }, { oauth: ['bank.audit'] }], responses } },
    '/anything': { get: { security: [{ oauth: ['bank.audit'] }, { bearer: [] }], responses } },
    '/same': {
      get: { security: [{ oauth: ['bank.audit'] }, { oauth: ['bank.audit'] }], responses },
    },
    '/news': { get: { security: [], responses } },
  },
}
writeFileSync(join(folder, 'bank.json'), JSON.stringify(description))
const echo = await openEchoApp()
const server = await openSmartServer({
  withoutSample: true,
  yaml: `apis:
  - { name: bank, path: /bank, upstream: "${echo.url}", openapi: "${folder}/bank.json",
      routes: [{ path: /declared, anyOf: [[bank.read], [bank.audit]], scopes: [bank.pdf] }] }
`,
})
after(async () => {
  await server.close()
  await echo.close()
  rmSync(folder, { recursive: true })
})

const SCOPES = ['bank.read', 'bank.pdf', 'bank.audit']
const app = await server.app({
  as: 'secret',
  scopes: SCOPES.join(' '),
  grants: ['client_credentials'],
})
async function ask(path: string, scope?: string) {
  let token: string | undefined
  if (scope !== undefined) {
    const { json } = await app.clientCredentials(scope, {
      set: { resource: `${server.url}/bank` },
    })
    token = json.access_token
    assert.ok(token, JSON.stringify(json))
  }
  const response = await fetch(`${server.url}/bank${path}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
  const challenge = response.headers.get('www-authenticate') ?? ''
  return {
    status: response.status,
    scope: /scope="([^"]*)"/.exec(challenge)?.[1],
    body: (await response.json()) as { detail?: string; neededScopes?: string[] },
  }
}

describe('an operation with several security requirements', () => {
  test('is open to whoever meets one of them whole', async () => {
    assert.equal((await ask('/statement', 'bank.read bank.pdf')).status, 200)
    assert.equal((await ask('/statement', 'bank.audit')).status, 200)
    assert.equal((await ask('/statement', 'bank.read')).status, 403)
    assert.equal((await ask('/statement')).status, 401)
  })

  test('tells who meets none what is nearest, and what else would do', async () => {
    const { scope, body } = await ask('/statement', 'bank.pdf')
    assert.equal(scope, 'bank.read bank.pdf')
    assert.deepEqual(body.neededScopes, ['bank.read', 'bank.pdf'])
    assert.match(body.detail ?? '', /bank\.read bank\.pdf or bank\.audit/)
  })

  test('is not opened by one that takes no token', async () => {
    assert.equal((await ask('/keyed', 'bank.read')).status, 403)
    assert.equal((await ask('/keyed', 'bank.audit')).status, 200)
  })

  test('needs no scope where any token will do, or the same where all say the same', async () => {
    assert.equal((await ask('/anything', 'bank.read')).status, 200)
    assert.equal((await ask('/anything')).status, 401)
    assert.equal((await ask('/same', 'bank.audit')).status, 200)
    assert.equal((await ask('/same', 'bank.read')).status, 403)
  })

  test('can be declared without a description', async () => {
    assert.equal((await ask('/declared', 'bank.read bank.pdf')).status, 200)
    assert.equal((await ask('/declared', 'bank.audit bank.pdf')).status, 200)
    assert.equal((await ask('/declared', 'bank.read bank.audit')).status, 403)
  })

  test('is explained with each set that would do', async () => {
    const needs = await server.admin<{ scopes: { scopes: string[] }[] }>('POST', '/explain/needs', {
      method: 'GET',
      url: '/bank/statement',
    })
    assert.deepEqual(
      needs.scopes.map(({ scopes }) => scopes),
      [['bank.read', 'bank.pdf'], ['bank.audit']],
    )
  })
})

test('the rest of the description holds: its own requirement, and what is public', async () => {
  assert.equal((await ask('/balance', 'bank.read')).status, 200)
  assert.equal((await ask('/balance', 'bank.pdf')).status, 403)
  assert.equal((await ask('/news')).status, 200)
})
