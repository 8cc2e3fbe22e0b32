import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError, configurationSchema, readConfig, upstreamProviders } from '@scopegate/server'
import { adminPlace } from './config/admin-place.ts'
import { registrationOf } from './config/registration-of.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

function read(yaml: string, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'scopegate.yaml'), yaml)
  return readConfig({ cwd: folder, configFile: 'scopegate.yaml' }, env)
}

function problemsOf(yaml: string, env: Record<string, string> = {}) {
  try {
    read(yaml, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  return assert.fail('the configuration was accepted')
}

test('without a file the defaults hold', () => {
  const config = readConfig({ cwd: join(folder, 'elsewhere') }, {})
  assert.equal(config.url, 'http://127.0.0.1:8080')
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 8080 })
  assert.equal(config.dataDir, join(folder, 'elsewhere', '.scopegate'))
  assert.equal(config.settings.fhir.r4.path, '/fhir/r4')
  assert.equal(config.settings.tokens.accessTokenSeconds, 300)
})

test('a file that was named must be there', () => {
  assert.throws(
    () => readConfig({ cwd: folder, configFile: 'nope.yaml' }, {}),
    /nope.yaml.*no such file/s,
  )
})

test('every problem is reported at once, each with its line, why and fix', () => {
  const problems = problemsOf(`server:
  ulr: http://127.0.0.1:9000
tokens: { accessTokenSeconds: 5m }
fhir:
  r4:
    compartment: gaurded
    pageSize: 0
clients:
  - { id: "a b", secret: hunter2, scopes: "" }
`)
  assert.deepEqual(
    problems.map(({ line, path }) => [line, path]),
    [
      [2, 'server.ulr'],
      [3, 'tokens.accessTokenSeconds'],
      [6, 'fhir.r4.compartment'],
      [7, 'fhir.r4.pageSize'],
      [9, 'clients[0].id'],
      [9, 'clients[0].secret'],
      [9, 'clients[0].scopes'],
    ],
  )
  assert.match(problems[0]?.fix ?? '', /did you mean `url`/)
  assert.match(problems[1]?.why ?? '', /a number is expected, got `5m`/)
  assert.match(problems[2]?.fix ?? '', /did you mean `guarded`/)
  assert.ok(!JSON.stringify(problems).includes('hunter2'), 'an inline secret is never repeated')
  assert.match(problems[5]?.fix ?? '', /env:NAME/)
})

test('tokens that live longer than SMART Backend Services lets them are refused, with the reason', () => {
  const [problem] = problemsOf('tokens: { accessTokenSeconds: 301 }')
  assert.match(problem?.why ?? '', /at most 300 is expected, got `301`/)
  assert.match(problem?.fix ?? '', /SMART Backend Services.*five minutes/)
})

test('a broken section does not hide what is wrong with the others', () => {
  const problems = problemsOf('log: { level: loud }\nstorage: { url: env:DATABASE_URL }\n')
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['log.level', 'storage.url'],
  )
})

test('text that is not YAML is refused with its line', () => {
  const [problem] = problemsOf('server:\n  url: "http://127.0.0.1\nstorage: {}\n')
  assert.match(problem?.why ?? '', /not YAML/)
  assert.ok(problem?.line)
})

test('a key that stands twice is refused', () => {
  const [problem] = problemsOf('log: { level: info }\nlog: { level: debug }\n')
  assert.equal(problem?.line, 2)
})

test('a database URL with a password outside a reference is refused, and not repeated', () => {
  const [problem] = problemsOf('storage: { url: "postgres://me:s3cret@db/x" }\n')
  assert.equal(problem?.path, 'storage.url')
  assert.ok(!JSON.stringify(problem).includes('s3cret'))
})

test('an issuer URL with a password is refused, and not repeated', () => {
  const problems = problemsOf('issuers: [{ issuer: "https://me:s3cret@idp.example" }]\n')
  assert.equal(problems[0]?.path, 'issuers[0].issuer')
  assert.ok(!JSON.stringify(problems).includes('s3cret'))
})

test('a reference that leads nowhere is refused, wherever it points', () => {
  const problems = problemsOf(
    'storage: { url: env:DATABASE_URL }\nclients: [{ id: a, secret: file:./none, scopes: system/Patient.r }]\n',
  )
  assert.deepEqual(
    problems.map(({ line, path }) => [line, path]),
    [
      [1, 'storage.url'],
      [2, 'clients[0].secret'],
    ],
  )
  assert.match(problems[0]?.why ?? '', /DATABASE_URL. is not set/)
})

test('a secret is read from its reference and never shown', () => {
  const config = read('clients: [{ id: a, secret: env:S, scopes: system/Patient.rs }]\n', {
    S: 'hunter2',
  })
  assert.equal(config.clients[0]?.secrets[0]?.reveal(), 'hunter2')
  assert.ok(!inspect(config, { depth: 9 }).includes('hunter2'))
  assert.ok(!JSON.stringify(config).includes('hunter2'))
})

test('a client has one secret, or a list of them for an exchange', () => {
  const client = (more: string) => `clients: [{ id: a, ${more}, scopes: system/Patient.rs }]\n`
  const environment = { NEW: 'the-new-secret-0123', OLD: 'the-old-secret-0123' }
  const { clients } = read(client('secrets: [env:NEW, env:OLD]'), environment)
  assert.deepEqual(
    clients[0]?.secrets.map((each) => each.reveal()),
    [environment.NEW, environment.OLD],
  )
  const [problem] = problemsOf(client('secret: env:OLD, secrets: [env:NEW]'), environment)
  assert.match(problem?.why ?? '', /exactly one way/)
})

test('nobody may be idle for longer than they stay signed in', () => {
  const sessions = (minutes: number) => `sessions: { idleMinutes: ${minutes}, absoluteHours: 1 }`
  const [problem] = problemsOf(sessions(61))
  assert.equal(problem?.path, 'sessions.idleMinutes')
  assert.match(problem?.why ?? '', /absoluteHours/)
  assert.equal(read(sessions(60)).settings.sessions.idleMinutes, 60)
})

for (const [name, yaml, path] of [
  ['a public http URL', 'server: { url: "http://fhir.example" }', 'server.url'],
  ['https without TLS', 'server: { url: "https://fhir.example" }', 'server.url'],
  ['listening off loopback', 'server: { listen: "0.0.0.0:80" }', 'server.listen'],
] as const) {
  test(`plain http is served on loopback only: ${name}`, () => {
    const [problem, ...others] = problemsOf(yaml)
    assert.equal(problem?.path, path)
    assert.match(problem?.fix ?? '', /server\.tls/)
    assert.deepEqual(others, [])
  })
}

test('a declared proxy that ends TLS makes plain http on any address acceptable', () => {
  const config = read(
    'server: { url: "https://fhir.example/", listen: "0.0.0.0:8080", behindTlsProxy: true }',
  )
  assert.equal(config.url, 'https://fhir.example')
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 8080 })
})

for (const [name, yaml, path] of [
  ['plain http off loopback', 'admin: { listen: "0.0.0.0:9090" }', 'admin.listen'],
  ['the port of the server', 'admin: { listen: "127.0.0.1:8080" }', 'admin.listen'],
  ['any free port', 'admin: { listen: "127.0.0.1:0" }', 'admin.listen'],
  [
    'the port of the sidecar',
    'sidecar: { listen: "127.0.0.1:9090" }\nadmin: { listen: "127.0.0.1:9090" }',
    'admin.listen',
  ],
  [
    'a proxy nobody knows the address of',
    'server: { behindTlsProxy: true }\nadmin: { listen: "0.0.0.0:9090" }',
    'admin.listen',
  ],
  ['an address without a listener', 'admin: { url: "https://admin.example" }', 'admin.url'],
  [
    'https where nothing ends TLS',
    'admin: { listen: "127.0.0.1:9090", url: "https://admin.example" }',
    'admin.url',
  ],
  [
    'tokens in the clear',
    'admin: { listen: "127.0.0.1:9090", url: "http://admin.example" }',
    'admin.url',
  ],
  ['a path', 'admin: { listen: "127.0.0.1:9090", url: "http://127.0.0.1:9090/a" }', 'admin.url'],
] as const) {
  test(`the admin API gets no listener of its own with ${name}`, () => {
    const [problem, ...others] = problemsOf(yaml)
    assert.equal(problem?.path, path)
    assert.deepEqual(others, [])
  })
}

test('the address of the admin API follows from where it listens, or is said', () => {
  const urlOf = (yaml: string) => adminPlace(read(yaml).settings).url
  const proxied =
    'server: { url: "https://fhir.example", listen: "10.0.0.1:80", behindTlsProxy: true }'
  assert.equal(urlOf(''), 'http://127.0.0.1:8080')
  assert.equal(urlOf('admin: { listen: "127.0.0.1:9090" }'), 'http://127.0.0.1:9090')
  assert.equal(urlOf('admin: { listen: "[::1]:9090" }'), 'http://[::1]:9090')
  assert.equal(urlOf(`${proxied}\nadmin: { listen: "127.0.0.1:9090" }`), 'http://127.0.0.1:9090')
  assert.equal(
    urlOf(`${proxied}\nadmin: { listen: "10.0.0.1:81", url: "https://admin.example/" }`),
    'https://admin.example',
  )
  assert.equal(
    urlOf('server: { tls: { local: true } }\nadmin: { listen: "0.0.0.0:9090" }'),
    'https://localhost:9090',
  )
})

test('a local certificate moves the default address to https, and knows its names', () => {
  const config = read('server: { tls: { local: true, names: [fhir.lab.example] } }')
  assert.equal(config.url, 'https://localhost:8443')
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 8443 })
  assert.deepEqual(config.localTls, {
    dir: join(folder, '.scopegate', 'tls'),
    names: ['localhost', 'fhir.lab.example'],
  })
  const elsewhere = read('server: { url: "https://fhir.lab.example:9443", tls: { local: true } }')
  assert.equal(elsewhere.url, 'https://fhir.lab.example:9443')
  assert.deepEqual(elsewhere.localTls?.names, ['fhir.lab.example'])
})

test('the flag for a local certificate is as if it stood in the file', () => {
  const flags = { cwd: join(folder, 'elsewhere'), localTls: { names: ['10.0.0.7'] } }
  const config = readConfig({ ...flags, port: 9443 }, {})
  assert.equal(config.url, 'https://localhost:9443')
  assert.deepEqual(config.localTls?.names, ['localhost', '10.0.0.7'])
  assert.equal(readConfig({ cwd: flags.cwd }, {}).localTls, undefined)
})

test('a certificate is one of files or a local one, and whole', () => {
  for (const [yaml, path] of [
    ['{ tls: { certFile: a.pem } }', 'server.tls.keyFile'],
    ['{ tls: { local: true, keyFile: a.pem } }', 'server.tls.keyFile'],
    ['{ tls: { local: true, names: ["*.lab.example"] } }', 'server.tls.names[0]'],
    ['{ tls: { local: true, names: [a, "b:1"] } }', 'server.tls.names[1]'],
    ['{ tls: { certFile: config.yaml, keyFile: config.yaml, names: [a] } }', 'server.tls.names[0]'],
    ['{ url: "http://127.0.0.1:9000", tls: { local: true } }', 'server.url'],
  ] as const) {
    const found = problemsOf(`server: ${yaml}`).map((problem) => problem.path)
    assert.ok(found.includes(path), `${yaml}: ${found}`)
  }
})

test('the own address is no foreign issuer, whose keys could stand in for ours', () => {
  const [problem] = problemsOf(`server: { url: https://fhir.example, behindTlsProxy: true }
issuers: [{ issuer: https://fhir.example/, keysUrl: https://fhir.example/keys }]
`)
  assert.deepEqual([problem?.line, problem?.path], [2, 'issuers[0].issuer'])
  assert.match(problem?.fix ?? '', /`self`/)
})

test('an issuer that is trusted must be listed', () => {
  const [problem] = problemsOf(`issuers: [{ issuer: https://idp.example }]
fhir:
  r4:
    trust:
      - self
      - https://idp.exmaple
`)
  assert.deepEqual([problem?.line, problem?.path], [6, 'fhir.r4.trust[1]'])
  assert.match(problem?.fix ?? '', /https:\/\/idp\.example/)
})

test('scopes of a client that cannot be registered are found before the start', () => {
  const problems = problemsOf(
    'clients: [{ id: a, secret: env:A, scopes: "system/Observation.sr user/Patient.r" }]',
    { A: 'x'.repeat(40) },
  )
  assert.deepEqual(
    problems.map(({ path, fix }) => [path, fix]),
    [
      ['clients[0].scopes', 'write `.rs`'],
      [
        'clients[0].scopes',
        'register `system/Patient.r` instead, or the grant `authorization_code`',
      ],
    ],
  )
})

test('a shared type that R4 does not have is refused: a typo must not leave the real one shared', () => {
  const [problem] = problemsOf('fhir: { r4: { sharedTypes: { Organisation: none } } }')
  assert.equal(problem?.path, 'fhir.r4.sharedTypes.Organisation')
  assert.match(problem?.fix ?? '', /`Organization`/)
})

test('a key set file with a private key is refused', () => {
  writeFileSync(join(folder, 'keys.json'), '{"keys":[{"kty":"EC","d":"x"}]}')
  const [problem] = problemsOf('issuers: [{ issuer: https://idp.example, keysFile: keys.json }]')
  assert.match(problem?.why ?? '', /private/)
})

test('flags win over the file', () => {
  writeFileSync(join(folder, 'scopegate.yaml'), 'server: { url: "http://localhost:1234" }')
  const config = readConfig({ cwd: folder, port: 4321, dataDir: 'x' }, {})
  assert.equal(config.url, 'http://localhost:4321')
  assert.equal(config.listen.port, 4321)
  assert.equal(config.dataDir, join(folder, 'x'))
})

test('the schema describes every setting and holds no defaults for secrets', () => {
  const visit = (node: Record<string, unknown>, path: string): void => {
    for (const [key, child] of Object.entries((node.properties ?? {}) as object)) {
      assert.ok(child.description, `${path}.${key} has no description`)
      visit(child, `${path}.${key}`)
    }
    if (node.items) visit(node.items as Record<string, unknown>, `${path}[]`)
  }
  visit(configurationSchema(), '')
})

const PROVIDER = `login:
  providers:
    - name: entra
      preset: entra
      tenant: 11111111-2222-4333-8444-555555555555
      clientId: scopegate
      secret: env:ENTRA_SECRET
      claims: { fhirUser: "Practitioner/{employeeId}", roles: { from: groups, values: { g1: nurse } } }
`

test('a provider to sign in at has its secret by reference, revealed only for the login', () => {
  const config = read(PROVIDER, { ENTRA_SECRET: 'hunter2hunter2' })
  assert.ok(!inspect(config, { depth: 9 }).includes('hunter2'))
  assert.ok(!JSON.stringify(config).includes('hunter2'))
  assert.deepEqual(upstreamProviders(config.providers), [
    {
      name: 'entra',
      preset: 'entra',
      tenant: '11111111-2222-4333-8444-555555555555',
      clientId: 'scopegate',
      authentication: { method: 'secret', secret: 'hunter2hunter2' },
      claims: {
        fhirUser: 'Practitioner/{employeeId}',
        roles: { from: 'groups', values: { g1: 'nurse' } },
      },
      trustEmail: false,
    },
  ])
})

test('what cannot work of a provider is reported with its line and the fix', () => {
  const problems = problemsOf(`login:
  providers:
    - { name: A B, clientId: x, issuer: "https://idp.example", secret: hunter2 }
    - { name: shared, preset: entra, tenant: common, clientId: x, secret: env:S }
    - name: none
      preset: keycloak
      clientId: x
      claims: { fhirUser: "Practitioner/{id" }
    - { name: both, preset: google, clientId: x, secret: env:S, privateKey: env:K }
`)
  assert.deepEqual(
    problems.map(({ path, line }) => [path, line]),
    [
      ['login.providers[0].name', 3],
      ['login.providers[0].secret', 3],
      ['login.providers[1].tenants', 4],
      ['login.providers[2]', 5],
      ['login.providers[2].url', 5],
      ['login.providers[2].realm', 5],
      ['login.providers[2].claims.fhirUser', 8],
      ['login.providers[3]', 9],
    ],
  )
  assert.ok(!JSON.stringify(problems).includes('hunter2'))
  assert.match(problems[2]?.why ?? '', /every Microsoft directory/)
  assert.match(problems[2]?.fix ?? '', /tenants/)
})

test('a secret of a provider that is not there, and a name that is there twice, are reported', () => {
  const problems = problemsOf(PROVIDER + PROVIDER.split('\n').slice(2).join('\n'))
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['login.providers[0].secret', 'login.providers[1].name', 'login.providers[1].secret'],
  )
})

test('clients of users take their grants from the rest, and every problem of them has its line', () => {
  const config = read(
    `clients:
  - id: app
    public: true
    redirectUris: [https://app.example/cb]
    scopes: openid patient/*.rs offline_access
  - { id: both, secret: env:S, redirectUris: ["http://localhost:3000/cb"], scopes: user/*.rs system/*.rs }
  - { id: job, secret: env:S, scopes: system/*.rs }
`,
    { S: 'x'.repeat(40) },
  )
  const registrations = config.clients.map(({ secrets, jwks, ...client }) => registrationOf(client))
  assert.deepEqual(
    registrations.map(({ grants }) => grants),
    [
      ['authorization_code', 'refresh_token'],
      ['authorization_code', 'client_credentials'],
      ['client_credentials'],
    ],
  )
  assert.deepEqual(registrations[0], {
    name: 'app',
    scopes: 'openid patient/*.rs offline_access',
    grants: ['authorization_code', 'refresh_token'],
    public: true,
    redirectUris: ['https://app.example/cb'],
    postLogoutRedirectUris: [],
    consent: 'ask',
    dpopBound: false,
    requirePar: false,
  })

  const [twoWays] = problemsOf(
    'clients:\n  - { id: other, public: true, secret: env:S, scopes: system/*.rs }\n',
  )
  assert.deepEqual([twoWays?.line, twoWays?.path], [2, 'clients[0]'])
  const problems = problemsOf(`clients:
  - id: app
    public: true
    redirectUris: ["https://*.app.example/cb"]
    launchUrl: javascript:alert(1)
    scopes: openid patient/Nothing.rs
`)
  assert.deepEqual(
    problems.map(({ line, path }) => [line, path]),
    [
      [4, 'clients[0].redirectUris'],
      [5, 'clients[0].launchUrl'],
      [6, 'clients[0].scopes'],
    ],
  )
})
