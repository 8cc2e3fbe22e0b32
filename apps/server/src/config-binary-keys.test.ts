import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createKeySigner, readKeyMaterial } from '@scopegate/keys'
import { ConfigError } from './config/config-error.ts'
import { compileConnections } from './config/configured-connection.ts'
import { readConfig } from './config.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'scopegate-binary-keys-'))
after(() => rmSync(folder, { recursive: true }))

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
writeFileSync(join(folder, 'rsa.pem'), rsa.export({ format: 'pem', type: 'pkcs8' }))
writeFileSync(join(folder, 'rsa.der'), rsa.export({ format: 'der', type: 'pkcs8' }))
writeFileSync(join(folder, 'passphrase'), 'a passphrase\n')

function read(yaml: string) {
  const configFile = join(folder, 'scopegate.yaml')
  writeFileSync(configFile, yaml)
  return readConfig({ configFile }, {})
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
}

const connection = (authentication: string) => `
connections:
  - name: lab
    tokenEndpoint: https://idp.example/token
    clientId: lab-reader
    authentication: { ${authentication} }
    scopes: [a]
`

test('a key reference takes a file in DER', () => {
  const [key] = read('keys: [{ name: a, privateKey: "file:rsa.der" }]').declaredKeys
  assert.ok(key?.current.privateKey.equals(rsa))
  const [lab] = read(connection('privateKey: "file:rsa.der"')).connections
  assert.ok(lab?.key?.privateKey.equals(rsa))
})

describe('with a PFX of openssl', hasOpenssl ? {} : { skip: 'no `openssl` here' }, () => {
  function makePfx(): void {
    openssl(
      ...['req', '-x509', '-new', '-key', 'rsa.pem', '-subj', '/CN=partner1', '-days', '30'],
      ...['-out', 'rsa.crt'],
    )
    openssl(
      ...['pkcs12', '-export', '-inkey', 'rsa.pem', '-in', 'rsa.crt'],
      ...['-passout', 'pass:a passphrase', '-out', 'rsa.pfx'],
    )
  }

  test('a key and a connection take the file as it is, with its certificate', () => {
    makePfx()
    const keys = (passphrase: string) =>
      `keys: [{ name: a, privateKey: "file:rsa.pfx"${passphrase} }]`
    const [key] = read(keys(', passphrase: "file:passphrase"')).declaredKeys
    assert.ok(key?.current.privateKey.equals(rsa))
    assert.match(key?.current.certificate?.subject ?? '', /partner1/)
    const [lab] = read(
      connection('privateKey: "file:rsa.pfx", keyPassphrase: "file:passphrase"'),
    ).connections
    assert.ok(lab?.key?.privateKey.equals(rsa))
    assert.throws(
      () => read(keys('')),
      (error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.problems[0]?.why ?? '', /no passphrase was given/)
        return true
      },
    )
  })

  test('for a client certificate, TLS gets its key as PEM', async () => {
    makePfx()
    const { connections } = read(
      connection(
        'method: tls_client_auth, privateKey: "file:rsa.pfx", keyPassphrase: "file:passphrase", certificate: rsa.crt',
      ),
    )
    assert.equal(connections[0]?.tls?.passphrase, undefined)
    const pem = connections[0]?.tls?.key.reveal() ?? ''
    assert.ok(createPrivateKey(pem).equals(rsa))
    const named = createKeySigner(readKeyMaterial({ text: pem, name: 'tls' }))
    const [compiled] = compileConnections(connections, { signerNamed: async () => named })
    assert.equal(compiled?.name, 'lab')
  })
})
