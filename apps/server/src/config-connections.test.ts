import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createKeySigner, readKeyMaterial, type SignatureAlgorithm } from '@scopegate/keys'
import { ConfigError } from './config/config-error.ts'
import { compileConnections } from './config/configured-connection.ts'
import { readConfig } from './config.ts'
import type { Environment } from './environment.ts'

const dir = mkdtempSync(join(tmpdir(), 'connections-'))
after(() => rmSync(dir, { recursive: true }))

const RSA = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey
const EC = generateKeyPairSync('ec', {
  namedCurve: 'P-384',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'sec1', format: 'pem' },
}).privateKey

let files = 0
function write(text: string, name = `file-${++files}`): string {
  const file = join(dir, name)
  writeFileSync(file, text)
  return file
}

function read(yaml: string, environment: Environment = {}) {
  const configFile = write(yaml, `config-${++files}.yaml`)
  return readConfig({ configFile }, environment)
}

function problemsOf(yaml: string, environment: Environment = {}) {
  try {
    read(yaml, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const named = readKeyMaterial({ text: RSA, name: 'partner1' })
const deps = {
  signerNamed: async (_: string, alg?: SignatureAlgorithm) =>
    createKeySigner(named, alg === undefined ? {} : { alg }),
}

describe('Connections in the configuration', () => {
  test('every example of docs/reference/connections.md is a configuration', async (t) => {
    const doc = readFileSync(
      join(import.meta.dirname, '../../../docs/reference/connections.md'),
      'utf8',
    )
    const account = JSON.stringify({ client_email: 'robot@x.example', private_key: RSA })
    const examples = [...doc.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml)
    assert.ok(examples.length >= 12)
    for (const example of examples) {
      const [, name] = /- name: (\S+)/.exec(example) ?? []
      await t.test(String(name), () => {
        const yaml = example
          .replaceAll(/file:\/run\/secrets\/service-account\.json/g, `file:${write(account)}`)
          .replaceAll(/file:\/run\/secrets\/\S*key\.pem/g, `file:${write(RSA)}`)
          .replaceAll(/file:\/run\/secrets\/oracle-health/g, `file:${write('a-secret')}`)
          // No certificate can be made here without a library: assertions by `kid` then.
          .replace(/certificate: \S+.*$/m, 'headers: [typ, kid]')
        const environment = new Proxy({}, { get: () => 'secret-of-the-example' })
        const { connections } = read(yaml, environment)
        assert.equal(compileConnections(connections, deps).length, connections.length)
      })
    }
  })

  test('secrets are references, in order, and never shown', async () => {
    const { connections } = read(
      `connections:
  - name: lab
    tokenEndpoint: https://idp.example/token
    clientId: us
    authentication: { secrets: [env:NEW, file:${write('the old one\n')}] }
`,
      { NEW: 'the new one' },
    )
    const [compiled] = compileConnections(connections, deps)
    assert.ok(compiled?.authentication.method === 'client_secret_basic')
    assert.deepEqual(compiled.authentication.secrets(), ['the new one', 'the old one'])
    assert.equal(compiled.authentication.sources?.[0], 'env:NEW')
    const shown = JSON.stringify(connections)
    assert.ok(!shown.includes('the new one') && !shown.includes('the old one'), shown)
  })

  test('a key signs what the provider prefers of what it can, unless another is written', async () => {
    const algOf = async (preset: string, more: string, key: string) => {
      const { connections } = read(`connections:
  - name: lab
    preset: ${preset}
    tokenEndpoint: https://idp.example/token
    issuer: https://idp.example
    clientId: us
    audience: x
    scopes: [a/.default]
    authentication: { ${key}, headers: [typ, kid]${more} }
`)
      const [compiled] = compileConnections(connections, deps)
      assert.ok(compiled?.authentication.method === 'private_key_jwt')
      return (await compiled.authentication.signer()).alg
    }
    const rsa = `privateKey: file:${write(RSA)}`
    const ec = `privateKey: file:${write(EC)}`
    assert.equal(await algOf('entra', '', rsa), 'PS256')
    assert.equal(await algOf('entra', ', alg: RS256', rsa), 'RS256')
    assert.equal(await algOf('smart', '', rsa), 'RS384')
    assert.equal(await algOf('smart', '', ec), 'ES384')
    assert.equal(await algOf('keycloak', '', rsa), 'RS256')
    assert.equal(await algOf('epic', '', 'key: partner1'), 'RS384')
  })

  test('an encrypted key needs its passphrase', () => {
    const encrypted = createPrivateKey(RSA).export({
      ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' },
    } as never)
    const file = write(String(encrypted))
    const yaml = (more: string) => `connections:
  - name: lab
    tokenEndpoint: https://idp.example/token
    clientId: us
    authentication: { privateKey: file:${file}${more} }
`
    assert.equal(read(yaml(', keyPassphrase: env:P'), { P: 'open sesame' }).connections.length, 1)
    const [wrong] = problemsOf(yaml(', keyPassphrase: env:P'), { P: 'sesame' })
    assert.match(wrong?.why ?? '', /passphrase/)
    const [missing] = problemsOf(yaml(''))
    assert.equal(missing?.path, 'connections[0].authentication.privateKey')
    assert.equal(missing?.line, 5)
    assert.match(missing?.why ?? '', /encrypted|passphrase/)
  })

  test('for TLS key and certificate are files, and what is wrong with them is told once', () => {
    const problems = problemsOf(`connections:
  - name: lab
    tokenEndpoint: https://idp.example/token
    clientId: us
    authentication: { method: tls_client_auth, privateKey: env:NOT_SET, certificate: none.pem }
`)
    assert.deepEqual(problems.map(({ path }) => path).sort(), [
      'connections[0].authentication.certificate',
      'connections[0].authentication.privateKey',
    ])
  })

  test('all problems are told at once, with their lines', () => {
    const problems = problemsOf(
      `connections:
  - name: lab
    tokenEndpoint: https://idp.example/token
    clientId: us
    authentication: { secrets: [env:NOT_SET] }
  - name: lab
    tokenEndpoint: https://idp.example/token
    clientId: us
    authentication: { secrets: [env:EMPTY] }
    proxy: env:PROXY
    ca: ${write('no certificate')}
`,
      { EMPTY: '', PROXY: 'proxy:3128' },
    )
    assert.deepEqual(
      problems.map(({ line, path }) => [line, path]),
      [
        [5, 'connections[0].authentication.secrets[0]'],
        [6, 'connections[1].name'],
        [9, 'connections[1].authentication.secrets[0]'],
        [10, 'connections[1].proxy'],
        [11, 'connections[1].ca'],
      ],
    )
    assert.ok(problems.every(({ fix }) => fix !== undefined && fix !== ''))
  })

  test('a secret in the place of a reference is refused, and not repeated', () => {
    const [problem] = problemsOf(`connections:
  - name: lab
    tokenEndpoint: https://idp.example/token
    clientId: us
    authentication: { secrets: ["hunter2hunter2"] }
`)
    assert.match(problem?.why ?? '', /reference/)
    assert.ok(!JSON.stringify(problem).includes('hunter2'))
  })
})
