import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError, readConfig, readSecretUses, shownSettings } from '@scopegate/server'

const folder = mkdtempSync(join(tmpdir(), 'config-secrets-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const SECRET = 'hunter2-hunter2-hunter2'
const KEY = Buffer.alloc(32, 7).toString('base64')

function read(yaml: string, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'scopegate.yaml'), yaml)
  return readConfig({ cwd: folder }, env)
}

function problemsOf(yaml: string, env: Record<string, string> = {}) {
  try {
    read(yaml, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.ok(!inspect(error).includes(SECRET) && !inspect(error).includes(KEY))
    return error.problems
  }
  return assert.fail('the configuration was accepted')
}

const client = (secret: string) =>
  `clients:\n  - { id: a, secret: "${secret}", scopes: system/Patient.rs }\n`

test('a secret that is written down is refused and not repeated, in lists too', () => {
  for (const yaml of [
    client(SECRET),
    client(`literal:${SECRET}`),
    `secrets: { masterKey: ${KEY} }\n`,
    `secrets: { masterKey: [env:A, ${SECRET}] }\n`,
  ]) {
    assert.equal(problemsOf(yaml, { A: KEY }).length, 1, yaml)
  }
})

test('a literal is taken on request, and shown nowhere', () => {
  const config = read(`secrets: { allowLiterals: true }\n${client(`literal:${SECRET}`)}`)
  assert.equal(config.clients[0]?.secrets[0]?.reveal(), SECRET)
  assert.equal(String(config.clients[0]?.secrets[0]), 'literal:***')
  assert.ok(!JSON.stringify(shownSettings(config.settings)).includes(SECRET))
})

test('master keys are read newest first; one that is none is refused with the way to make one', () => {
  const config = read('secrets: { masterKey: [env:NEW, env:OLD] }\n', { NEW: KEY, OLD: KEY })
  assert.deepEqual(config.masterKeys?.map(String), ['env:NEW', 'env:OLD'])
  const [problem] = problemsOf('secrets:\n  masterKey: env:NEW\n', { NEW: SECRET })
  assert.deepEqual([problem?.path, problem?.line], ['secrets.masterKey', 2])
  assert.match(problem?.why ?? '', /openssl rand -base64 32/)
  const both = problemsOf('secrets: { masterKey: env:NEW, masterKeyFile: x }\n', { NEW: KEY })
  assert.match(both[0]?.why ?? '', /both `masterKey` and `masterKeyFile`/)
})

test('all secrets are told, also where others do not resolve', () => {
  writeFileSync(join(folder, 'scopegate.yaml'), `${client('env:A')}storage: { url: env:B }\n`)
  const { uses } = readSecretUses({ cwd: folder }, { A: SECRET })
  assert.deepEqual(
    uses.map(({ path, line, resolution }) => [path, line, resolution.ok]),
    [
      ['clients[0].secret', 2, true],
      ['storage.url', 3, false],
    ],
  )
  assert.ok(!inspect(uses, { depth: 9 }).includes(SECRET))
})

test('secrets of a section of the wrong form are told as not looked at', () => {
  writeFileSync(
    join(folder, 'scopegate.yaml'),
    `${client('%CLIENT_SECRET%')}storage: { url: env:B }\n`,
  )
  const { uses, malformed } = readSecretUses({ cwd: folder }, { B: SECRET })
  assert.deepEqual(
    uses.map(({ path }) => path),
    ['storage.url'],
  )
  assert.match(malformed[0]?.why ?? '', /variables are not replaced/)
})
