import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError } from './config/config-error.ts'
import { readConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'scopegate-config-'))
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const pem = (key: KeyObject, lock: object = {}) =>
  String(key.export({ format: 'pem', type: 'pkcs8', ...lock }))
const locked = pem(rsa, { cipher: 'aes-256-cbc', passphrase: 'a passphrase' })
writeFileSync(join(folder, 'rsa.pem'), pem(rsa))
writeFileSync(join(folder, 'ec.pem'), pem(ec))
writeFileSync(join(folder, 'locked.pem'), locked)
writeFileSync(join(folder, 'passphrase'), 'a passphrase\n')

function read(yaml: string) {
  const configFile = join(folder, 'scopegate.yaml')
  writeFileSync(configFile, yaml)
  return readConfig({ configFile }, {})
}

function problems(yaml: string) {
  try {
    read(yaml)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems.map(({ path, why, fix, line }) => `${line} ${path}: ${why}; ${fix}`)
  }
  return []
}

test('a declared key is read with its grants, and printing the configuration shows nothing of it', () => {
  const config = read(`
keys:
  - name: partner1
    privateKey: file:locked.pem
    passphrase: file:passphrase
    algorithms: [PS256, RS256]
    next: { privateKey: "file:rsa.pem", kid: second }
    grants: [{ client: app, audience: "https://idp.example/token", subject: [a, b], claims: { x: any } }]
`)
  const [key] = config.declaredKeys
  assert.ok(key?.current.privateKey.equals(rsa))
  assert.equal(key?.next?.kid, 'second')
  assert.deepEqual(key?.grants, [
    {
      holder: { kind: 'client', name: 'app' },
      subjects: ['a', 'b'],
      audiences: ['https://idp.example/token'],
      maxSeconds: 300,
      claims: { x: 'any' },
    },
  ])
  const shown = `${inspect(config, { depth: 20, showHidden: true })}${JSON.stringify(config)}`
  const { d = '' } = rsa.export({ format: 'jwk' })
  assert.ok(!shown.includes('PRIVATE KEY'))
  assert.ok(!shown.includes(d.slice(0, 40)))
  assert.ok(!shown.includes('a passphrase'))
})

for (const [what, yaml, expected] of [
  ['no key', '{ name: a }', /keys\[0\]: .*exactly one place; give one of/],
  ['two keys', '{ name: a, privateKey: "file:rsa.pem", pfxFile: x.pfx }', /exactly one place/],
  [
    'a file that is not there',
    '{ name: a, privateKey: "file:none.pem" }',
    /privateKey: .*does not exist/,
  ],
  ['a PFX that is not there', '{ name: a, pfxFile: none.pfx }', /pfxFile: no such file/],
  [
    'a locked key without passphrase',
    '{ name: a, privateKey: "file:locked.pem" }',
    /no passphrase was given; .*passphrase: file:/,
  ],
  [
    'an algorithm of another kind',
    '{ name: a, privateKey: "file:ec.pem", algorithms: [RS256] }',
    /EC P-256 cannot sign with RS256; it can ES256/,
  ],
  [
    'a next key of another kind',
    '{ name: a, privateKey: "file:ec.pem", next: { privateKey: "file:rsa.pem" } }',
    /next: .*RSA 2048 cannot sign with ES256/,
  ],
  ['a name that is none', '{ name: A b, privateKey: "file:rsa.pem" }', /name: /],
  [
    'a grant for nobody',
    '{ name: a, privateKey: "file:rsa.pem", grants: [{ audience: x }] }',
    /grants\[0\]: .*one client or one role/,
  ],
  [
    'a grant for any audience',
    '{ name: a, privateKey: "file:rsa.pem", grants: [{ client: b, audience: "*" }] }',
    /grants\[0\]\.audiences: must name/,
  ],
  [
    'a grant of an algorithm that the key lacks',
    '{ name: a, privateKey: "file:rsa.pem", grants: [{ client: b, audience: x, algorithms: [PS512] }] }',
    /algorithms\[0\]: .*RS256/,
  ],
  [
    'two grants for one client',
    '{ name: a, privateKey: "file:rsa.pem", grants: [{ client: b, audience: x }, { client: b, audience: y }] }',
    /two grants/,
  ],
] as const) {
  test(`${what} is a problem with its place and what to do`, () => {
    const found = problems(`keys:\n  - ${yaml}\n`)
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0]!, expected)
    assert.match(found[0]!, /^2 /)
  })
}

test('a name that is there twice is a problem', () => {
  const key = '{ name: a, privateKey: "file:rsa.pem" }'
  assert.match(problems(`keys: [${key}, ${key}]`).join(), /keys\[1\]\.name: `a` is there twice/)
})
