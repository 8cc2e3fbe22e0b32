import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  fingerprintSecret,
  maskSecretReference,
  type ResolvedSecret,
  resolveSecret,
  SECRET_REFERENCE,
  type SecretMeaning,
} from '@scopegate/secrets'
import fc from 'fast-check'

const directory = mkdtempSync(join(tmpdir(), 'scopegate-references-'))
const mounts = join(directory, 'mounts')
mkdirSync(mounts)
const at = (name: string) => join(directory, name)
const write = (name: string, text: string | Uint8Array) => writeFileSync(at(name), text)

const SECRET = 'correct-horse-battery'
write('secret', SECRET)
write('newline', `${SECRET}\n`)
write('windows', `\uFEFF${SECRET}\r\n`)
write('powershell', Buffer.from(`\uFEFF${SECRET}\r\n`, 'utf16le'))
write('binary', Uint8Array.of(0x30, 0x82, 0xff, 0x00))
write('empty', '\n')
write('large', 'x'.repeat(70_000))
write('json', `\uFEFF{"client": {"secret": "${SECRET}", "a/b": "slash", "id": 7, "list": [1]}}\n`)
write('mounts/lab-secret', SECRET)
write(
  'vars.env',
  [
    '\uFEFF# comment',
    'PLAIN=correct#horse # a comment',
    'export QUOTED="two words # kept" # a comment',
    "SINGLE='a\\nb'",
    'LINES="-----BEGIN',
    'x"',
    'ESCAPED="a\\nb\\"\\$c"',
    'NOTHING=',
    'api-secret=hyphen',
    'TWICE=first',
    'TWICE=second',
    'not an assignment',
  ].join('\r\n'),
)
write('unclosed.env', 'A="never\nB=x\n')

const env = {
  FULL: SECRET,
  EMPTY: '',
  BLANK: ' \n',
  API_CLIENTSECRET: SECRET,
  'api-key': SECRET,
  DB_PASSWORD_FILE: at('secret'),
  TOKEN_FILE: 'not a path but a secret',
}
const resolve = (reference: string, meaning?: SecretMeaning, allowLiterals = false) =>
  resolveSecret(
    reference,
    { env, directory, allowLiterals, processName: 'process 1', secretsDirectory: mounts },
    meaning,
  )

function secretOf(resolved: ResolvedSecret): string {
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.problem)
  return resolved.value
}

function codesOf(resolved: ResolvedSecret): string[] {
  assert.ok(resolved.ok)
  return resolved.warnings.map(({ code, level }) => `${level} ${code}`)
}

describe('a secret is read', () => {
  for (const [reference, value, ...codes] of [
    ['env:FULL', SECRET],
    ['env:api-key', SECRET, 'warn hyphenated_name'],
    ['file:secret', SECRET],
    [`file:${at('secret')}`, SECRET],
    ['file:newline', SECRET, 'note newline_trimmed'],
    ['file:windows', SECRET, 'note bom_trimmed', 'note newline_trimmed'],
    ['file:json#/client/secret', SECRET],
    ['file:json#/client/a~1b', 'slash'],
    ['file:json#/client/id', '7'],
    ['env-file:vars.env#PLAIN', 'correct#horse'],
    ['env-file:vars.env#QUOTED', 'two words # kept'],
    ['env-file:vars.env#SINGLE', 'a\\nb'],
    ['env-file:vars.env#LINES', '-----BEGIN\nx'],
    ['env-file:vars.env#ESCAPED', 'a\nb"$c'],
    ['env-file:vars.env#api-secret', 'hyphen'],
    ['env-file:vars.env#TWICE', 'second', 'warn written_twice'],
  ] as const) {
    test(`from \`${reference.replace(directory, '/…')}\``, () => {
      const resolved = resolve(reference)
      assert.equal(secretOf(resolved), value)
      assert.deepEqual(codesOf(resolved), codes)
      assert.match(reference, SECRET_REFERENCE)
    })
  }

  test('as base64 from a binary file, where a key is meant', () => {
    const resolved = resolve('file:binary', 'private-key')
    assert.equal(secretOf(resolved), Buffer.of(0x30, 0x82, 0xff, 0x00).toString('base64'))
    assert.deepEqual(codesOf(resolved), [])
    assert.equal(secretOf(resolve('file:newline', 'private-key')), SECRET)
    for (const [reference, meaning] of [
      ['file:binary', undefined],
      ['file:powershell', 'private-key'],
      ['file:binary#/key', 'private-key'],
    ] as const) {
      const refused = resolve(reference, meaning)
      assert.ok(!refused.ok)
      assert.equal(refused.reason, 'not_text')
    }
  })

  test('from the configuration itself only where that is allowed, and with a warning', () => {
    const refused = resolve('literal:hunter2')
    assert.ok(!refused.ok)
    assert.equal(refused.reason, 'literal_not_allowed')
    assert.ok(!JSON.stringify(refused).includes('hunter2'))
    const taken = resolve('literal:hunter2', undefined, true)
    assert.equal(secretOf(taken), 'hunter2')
    assert.deepEqual(codesOf(taken), ['warn literal'])
    assert.equal(maskSecretReference('literal:hunter2'), 'literal:***')
    assert.equal(maskSecretReference('env:HUNTER2'), 'env:HUNTER2')
  })
})

describe('a secret that is not there is a problem that says why', () => {
  for (const [reference, reason, problem, hint] of [
    ['env:NOWHERE', 'unset', /`NOWHERE` is not set in process 1/, /where this process is started/],
    ['env:EMPTY', 'empty', /`EMPTY` is set, but empty/, /like none/],
    ['env:BLANK', 'empty', /is set, but empty/, /like none/],
    ['env:api-clientsecret', 'unset', /is not set/, /`env:API_CLIENTSECRET`.*shells drop/],
    ['env:my-thing', 'unset', /is not set/, /shells drop.*call it `MY_THING`/],
    ['env:Full', 'unset', /is not set/, /did you mean `env:FULL`/],
    ['env:API_CLEINTSECRET', 'unset', /is not set/, /did you mean `env:API_CLIENTSECRET`/],
    ['env:DB_PASSWORD', 'unset', /is not set/, /`DB_PASSWORD_FILE` names a file.*`file:.*secret`/],
    ['env:TOKEN', 'unset', /is not set/, /`TOKEN_FILE` is set: if it names a file/],
    ['env:LAB_SECRET', 'unset', /is not set/, /did you mean `file:.*lab-secret`/],
    ['env:', 'malformed', /name of an environment variable/, undefined],
    ['file:missing', 'no_file', /missing` does not exist/, /relative paths start at/],
    ['file:secrt', 'no_file', /does not exist/, /did you mean `file:.*secret`/],
    ['file:nowhere/x', 'no_file', /does not exist/, /nowhere` is not there either/],
    ['file:empty', 'empty', /is there, but empty/, /like none/],
    ['file:.', 'unreadable', /is a folder/, undefined],
    ['file:', 'malformed', /followed by a path/, undefined],
    ['file:large', 'not_text', /larger than a secret/, undefined],
    ['file:powershell', 'not_text', /not UTF-8/, /Set-Content/],
    ['file:binary', 'not_text', /not UTF-8/, undefined],
    ['file:secret#/a', 'not_in_file', /is not JSON/, undefined],
    ['file:json#/client/secert', 'not_in_file', /has nothing at/, /`\/client\/secret`/],
    ['file:json#/client/list', 'not_text', /is not text/, undefined],
    ['file:json#/client/toString', 'not_in_file', /has nothing at/, undefined],
    ['env-file:vars.env#NOTHING', 'empty', /is set, but empty/, undefined],
    ['env-file:vars.env#PLIAN', 'unset', /`PLIAN` of file .* is not set/, /vars.env#PLAIN/],
    ['env-file:unclosed.env#B', 'not_in_file', /in line 1 is never closed/, undefined],
    ['env-file:vars.env', 'malformed', /and the name of a variable/, undefined],
    ['hunter2', 'malformed', /never written into the configuration/, undefined],
  ] as const) {
    test(`\`${reference}\``, () => {
      const resolved = resolve(reference)
      assert.ok(!resolved.ok)
      assert.equal(resolved.reason, reason)
      assert.match(resolved.problem, problem)
      if (hint) assert.match(resolved.hints.join('; '), hint)
      const told = JSON.stringify(resolved)
      for (const kept of [SECRET, 'hunter2', 'not a path']) assert.ok(!told.includes(kept))
    })
  }
})

describe('what looks like a mistake is kept, and warned of', () => {
  for (const [value, code, meaning] of [
    [`"${SECRET}"`, 'quotes'],
    [`'${SECRET}'`, 'quotes'],
    [` ${SECRET}`, 'whitespace'],
    [`$\{CLIENT_SECRET}`, 'not_replaced'],
    ['{{ .Values.secret }}', 'not_replaced'],
    ['%CLIENT_SECRET%', 'not_replaced'],
    ['changeme', 'placeholder'],
    ['<your-secret>', 'placeholder'],
    ['0b54b3a1-26d9-4b3c-9f0e-1c2d3e4f5a6b', 'secret_id', 'entra-client-secret'],
  ] as const) {
    test(`\`${value}\`: ${code}`, () => {
      const resolved = resolveSecret('env:X', { env: { X: value }, directory }, meaning)
      assert.equal(secretOf(resolved), value)
      assert.deepEqual(codesOf(resolved), [`warn ${code}`])
      assert.ok(resolved.ok && !JSON.stringify(resolved.warnings).includes(SECRET))
    })
  }

  test('a GUID is a fine secret for everybody but Entra', () => {
    const value = '0b54b3a1-26d9-4b3c-9f0e-1c2d3e4f5a6b'
    assert.deepEqual(codesOf(resolveSecret('env:X', { env: { X: value }, directory })), [])
  })

  test('a private key may have lines', () => {
    const value = '-----BEGIN PRIVATE KEY-----\r\nAAAA\r\n-----END PRIVATE KEY-----'
    assert.deepEqual(codesOf(resolveSecret('env:X', { env: { X: value }, directory })), [])
  })
})

describe('a fingerprint', () => {
  test('of a long secret is what sha256sum begins with', () => {
    const hash = createHash('sha256').update(SECRET).digest('hex')
    assert.equal(fingerprintSecret(SECRET), `sha256:${hash.slice(0, 8)}`)
  })

  for (const guessable of [
    'hunter2',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    'postgres://scopegate:hunter2@db.example.org:5432/scopegate',
  ]) {
    test(`of \`${guessable}\` is too short to find it by trying`, () => {
      assert.match(fingerprintSecret(guessable), /^sha256:[0-9a-f]{2}$/)
    })
  }
})

test('a pipe or a device that never ends holds nobody up', () => {
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const file of [pipe, '/dev/zero', '/dev/null']) {
    for (const reference of [`file:${file}`, `env-file:${file}#NAME`]) {
      const got = resolveSecret(reference, { env: {}, directory })
      assert.ok(!got.ok && got.reason === 'unreadable', reference)
      assert.match(got.problem, /is a pipe or a device, not a file/)
    }
  }
})

test('whatever a value is, it comes out as it went in, or without its end of line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
      const resolved = resolveSecret('env:X', { env: { X: value }, directory })
      if (resolved.ok)
        assert.equal(resolved.value, value.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, ''))
      else assert.equal(value.replace(/^\uFEFF/, '').trim(), '')
    }),
  )
})
