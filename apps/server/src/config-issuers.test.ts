import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from './config/config-error.ts'
import { readConfig } from './config.ts'

const TENANT = '7b5b0f3e-2b1a-4a55-9c07-3d1f4e7a9c10'

function read(yaml: string) {
  const configFile = join(mkdtempSync(join(tmpdir(), 'scopegate-config-')), 'scopegate.yaml')
  writeFileSync(configFile, yaml)
  return readConfig({ configFile }, { SECRET: 'a secret', KEY: 'x' })
}

function problems(yaml: string) {
  try {
    read(yaml)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems.map(({ path, why, fix }) => `${path}: ${why}; ${fix}`)
  }
  return []
}

test('a preset makes the issuer, and its name serves for trust', () => {
  const { issuers, settings } = read(`
issuers: [{ name: entra, preset: entra-v2, tenant: ${TENANT} }]
fhir: { r4: { trust: [self, entra] } }
`)
  const issuer = `https://login.microsoftonline.com/${TENANT}/v2.0`
  assert.equal(issuers[0]?.issuer, issuer)
  assert.deepEqual(settings.fhir.r4.trust, ['self', issuer])
})

for (const [what, yaml, expected] of [
  ['a missing part', '[{ preset: entra-v2 }]', /tenant: required; .*`tenant`/],
  ['a missing issuer', '[{}]', /issuer: required; write the `iss`/],
  ['an unpinned tenant', '[{ preset: entra-v2, issuer: "https://x.example" }]', /other tenants/],
  ['an unknown preset', '[{ preset: entra }]', /preset: one of `entra-v1`/],
  [
    'a scope that grants nothing',
    '[{ issuer: "https://x.example", scopes: { map: { a: system/Observation.sr } } }]',
    /scopes\.map\.a: .*out of order; write `\.rs`/,
  ],
  [
    'an alias that is an issuer',
    '[{ issuer: "https://x.example" }, { issuer: "https://y.example", aliases: ["https://x.example"] }]',
    /aliases\[0\]: .*an issuer already/,
  ],
  [
    'a name twice',
    '[{ name: a, issuer: "https://x.example" }, { name: a, issuer: "https://y.example" }]',
    /name: `a` is taken/,
  ],
  [
    'introspection without a credential',
    '[{ issuer: "https://x.example", introspection: { clientId: a } }]',
    /introspection: this server must authenticate/,
  ],
  [
    'a secret in the file',
    '[{ issuer: "https://x.example", introspection: { clientId: a, secret: s3cret } }]',
    /secret: a secret stands here itself/,
  ],
] as const) {
  test(`${what} is told`, () => {
    const found = problems(`issuers: ${yaml}\n`)
    assert.match(found.join('\n'), expected)
    assert.ok(!found.join('\n').includes('s3cret'))
  })
}

test('an opaque token is not shown to a second issuer unless that is declared', () => {
  const yaml = (more: string) => `
issuers:
  - { name: a, issuer: "https://a.example", introspection: { clientId: i, secret: env:SECRET } }
  - { name: b, issuer: "https://b.example", introspection: { clientId: i, secret: env:SECRET${more} } }
fhir: { r4: { trust: [a, b] } }
`
  assert.match(problems(yaml('')).join(), /issuers\[1\]\.introspection: a second issuer/)
  assert.deepEqual(problems(yaml(', afterOthers: true')), [])
})

test('certificates of clients need TLS here, or a proxy that is trusted', () => {
  const server = (text: string) => problems(`server: { ${text} }\n`).join()
  assert.match(server('clientCertificates: tls'), /nothing here ends TLS/)
  assert.match(server('clientCertificates: proxy'), /no proxy is trusted/)
  assert.equal(server('clientCertificates: proxy, trustedProxies: [10.0.0.0/8]'), '')
})

test('tokens are exchanged of issuers that are listed', () => {
  const exchange = 'tokenExchange: [{ issuer: nobody, clients: [a] }]\n'
  assert.match(problems(exchange).join(), /tokenExchange\[0\]\.issuer: no such issuer/)
})
