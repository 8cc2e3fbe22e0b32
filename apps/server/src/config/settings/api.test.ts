import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, readConfig } from '@scopegate/server'

const folder = mkdtempSync(join(tmpdir(), 'scopegate-apis-'))

function read(yaml: string, files: Readonly<Record<string, string>> = {}) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const configFile = join(folder, 'scopegate.yaml')
  writeFileSync(configFile, yaml)
  return readConfig({ configFile, dataDir: join(folder, 'data') }, {})
}

function problems(yaml: string, files?: Readonly<Record<string, string>>) {
  try {
    read(yaml, files)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const bank = `apis:
  - name: bank
    path: /bank
    upstream: http://127.0.0.1:9000
`

describe('APIs of a configuration', () => {
  test('have the defaults of the documentation, and their own URL as audience', () => {
    const [api] = read(`${bank}    routes: [{ path: /x, scopes: [bank.read] }]`).apis
    assert.equal(api?.auth.mode, 'bearer')
    assert.deepEqual(api.auth.issuers, ['http://127.0.0.1:8080'])
    assert.deepEqual(api.scopes, [{ scope: 'bank.read' }])
    assert.equal(api.forward.authorization, 'strip')
  })

  test('with mistakes are reported all at once, with line and fix', () => {
    const found = problems(`apis:
  - name: one
    path: /fhir/r4/x
    upstream: http://127.0.0.1:9000
    auth: { trust: [https://other.example], mode: both, login: { provider: nobody } }
    routes: [{ path: /x }]
    forward: { headers: { Host: username, X-A: subject, x-a: scopes } }
  - name: one
    path: /two
    upstream: http://127.0.0.1:9000
    routes: [{ path: /x }]
  - name: three
    path: /two
    upstream: http://127.0.0.1:9000
    routes: [{ path: /x }]
`)
    assert.deepEqual(
      found.map(({ line, path }) => `${line} ${path}`),
      [
        '3 apis[0].path',
        '5 apis[0].auth.trust[0]',
        '5 apis[0].auth.login.provider',
        '7 apis[0].forward.headers.Host',
        '7 apis[0].forward.headers.x-a',
        '8 apis[1].name',
        '13 apis[2].path',
      ],
    )
    assert.ok(found.every(({ fix }) => fix))
  })

  test('with keys that nobody knows, no routes, or paths that are none, are refused', () => {
    for (const [yaml, path, why] of [
      [`${bank}    route: []`, 'apis[0].route', /unknown key/],
      [bank, 'apis[0]', /no routes/],
      [`${bank}    routes: [{ path: x }]`, 'apis[0].routes[0].path', /not a path/],
      [`${bank}    routes: [{ path: /*/x }]`, 'apis[0].routes[0].path', /not a path/],
      [
        `${bank}    routes: [{ path: /x, public: true, scopes: [a] }]`,
        'apis[0].routes[0]',
        /public/,
      ],
      [
        `${bank}    routes: [{ path: /x, scopes: ["a b"] }]`,
        'apis[0].routes[0].scopes[0]',
        /scope/,
      ],
    ] as const) {
      const found = problems(yaml)
      assert.ok(
        found.some((each) => each.path === path && why.test(each.why)),
        JSON.stringify(found),
      )
    }
  })

  test('no path of this server can be taken, and none around it', () => {
    for (const path of ['/oauth', '/oauth/x', '/admin', '/fhir', '/metrics', '/.well-known']) {
      const yaml = bank.replace('/bank', path)
      const found = problems(`${yaml}    routes: [{ path: /x }]`)
      assert.ok(
        found.some((each) => each.path === 'apis[0].path'),
        path,
      )
    }
  })

  test('take routes and scopes from an OpenAPI description', () => {
    const [api] = read(`${bank}    openapi: ./bank.openapi.yaml`, {
      'bank.openapi.yaml': `openapi: 3.1.0
info: { title: Bank, version: "1" }
security: [{ oauth: [bank.balance.read] }]
components:
  securitySchemes:
    oauth:
      type: oauth2
      flows: { clientCredentials: { tokenUrl: x, scopes: { bank.balance.read: See your balance } } }
    key: { type: apiKey, in: header, name: X-Key }
paths:
  /checkbalance: { get: {} }
  /transfer: { post: { security: [{ oauth: [bank.transfer.write] }] } }
  /terms: { get: { security: [] } }
  /accounts/{id}: { get: { security: [{ key: [] }] } }
`,
    }).apis
    assert.deepEqual(
      api?.routes.map(({ path, methods, scopes, public: open }) => [
        path,
        methods[0],
        scopes,
        open,
      ]),
      [
        ['/checkbalance', 'GET', ['bank.balance.read'], false],
        ['/transfer', 'POST', ['bank.transfer.write'], false],
        ['/terms', 'GET', [], true],
        ['/accounts/{id}', 'GET', [], false],
      ],
    )
    assert.deepEqual(api.scopes, [
      { scope: 'bank.balance.read', title: 'See your balance' },
      { scope: 'bank.transfer.write' },
    ])
  })

  test('what a route cannot say of a description is reported, not guessed', () => {
    const found = problems(`${bank}    openapi: ./odd.yaml`, {
      'odd.yaml': `openapi: 3.0.3
components: { securitySchemes: { o: { type: oauth2, flows: {} } } }
paths:
  /files/{name}.json: { get: {} }
`,
    })
    assert.deepEqual(
      found.map(({ path }) => path),
      ['apis[0].openapi'],
    )
    assert.match(found[0]?.why ?? '', /\/files\/\{name\}\.json/)
    assert.match(problems(`${bank}    openapi: ./none.yaml`)[0]?.why ?? '', /no such file/)
    const notOne = problems(`${bank}    openapi: ./x.yaml`, { 'x.yaml': 'swagger: "2.0"' })
    assert.match(notOne[0]?.why ?? '', /no OpenAPI 3/)
  })

  test('let clients be registered for the scopes that they name, and for no others', () => {
    const client = (scopes: string) => `${bank}    routes: [{ path: /x, scopes: [bank.read] }]
clients:
  - { id: app, public: true, redirectUris: ["https://app.example/cb"], scopes: "${scopes}" }
`
    assert.deepEqual(problems(client('openid bank.read')), [])
    assert.equal(problems(client('bank.write'))[0]?.path, 'clients[0].scopes')
  })
})
