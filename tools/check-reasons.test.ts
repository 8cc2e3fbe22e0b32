import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  API_CATALOGUE,
  BROKER_FINDINGS,
  CATALOGUE,
  CAUSE_ISSUERS,
  LOGIN_CATALOGUE,
  PROVIDER_ERRORS,
  PROVIDER_NAMES,
  REASON_CAUSES,
  TOKEN_REQUEST_CATALOGUE,
} from '@scopegate/checks'
import { FAILURE_KINDS } from '@scopegate/oauth-model'
import { settings } from '@scopegate/server'
import { CONNECTION_PRESET_NAMES } from '@scopegate/token-broker'
import { ISSUER_PRESET_NAMES } from '@scopegate/token-verify'

const ROOT = join(import.meta.dirname, '..')
const CATALOGUES = {
  CATALOGUE,
  API_CATALOGUE,
  LOGIN_CATALOGUE,
  TOKEN_REQUEST_CATALOGUE,
} as const
const all = new Set(Object.values(CATALOGUES).flatMap((each) => Object.keys(each)))

/** What the product is made of: no tests, no catalogue, no texts about it. */
const sources = globSync('{packages,apps}/*/src/**/*.ts', { cwd: ROOT })
  .filter(
    (file) => !/\.test\.ts$|\/test(?:ing|-support)\/|catalogue\.ts$|reason-causes\.ts$/.test(file),
  )
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }))

/** Where a refusal is made: the code as it stands in the source. */
const MADE = [
  /\bfailed(?:Api|TokenRequest|Login)?\(\s*'([a-z0-9_]+)'/g,
  /\.fail\(\s*'([a-z0-9_]+)'/g,
  /\bnew LoginRefused\(\s*'([a-z0-9_]+)'/g,
  /outcome: 'fail',\s*code: '([a-z0-9_]+)'/g,
]

test('every refusal that the code makes has a row in a catalogue', () => {
  const made = sources.flatMap(({ file, text }) =>
    MADE.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code]) => ({ file, code }))),
  )
  assert.ok(made.length > 100, 'the scan sees the refusals')
  const unknown = made.filter(({ code }) => !all.has(code ?? ''))
  assert.deepEqual(unknown, [])
})

test('every row of a catalogue is used by the code', () => {
  const whole = sources.map(({ text }) => text).join('\n')
  // Some are put together: `assertion_${name}`, with `'iat'` somewhere.
  const prefixes = new Set([...whole.matchAll(/`([a-z]+_)\$\{/g)].map(([, prefix = '']) => prefix))
  const isQuoted = (text: string) => new RegExp(`['"\`]${text}['"\`]|\\b${text}:`).test(whole)
  const unused = [...all].filter(
    (code) =>
      !isQuoted(code) &&
      ![...prefixes].some(
        (prefix) => code.startsWith(prefix) && isQuoted(code.slice(prefix.length)),
      ),
  )
  assert.deepEqual(unused, [])
})

test('a code means one thing, whatever the catalogue', () => {
  const named = Object.values(CATALOGUES).flatMap((each) => Object.keys(each))
  assert.equal(new Set(named).size, named.length)
})

test('causes are told for the presets that there are, and settings that exist', () => {
  assert.deepEqual([...CAUSE_ISSUERS].sort(), ['self', ...ISSUER_PRESET_NAMES].sort())
  const schema = JSON.stringify(settings.toJSONSchema({ io: 'input', unrepresentable: 'any' }))
  for (const [code, row] of Object.entries(REASON_CAUSES)) {
    assert.ok(all.has(code), code)
    for (const setting of row.settings) {
      for (const name of setting.replaceAll('[]', '').split('.')) {
        assert.ok(schema.includes(`"${name}":`), `${code}: no setting ${setting}`)
      }
    }
  }
})

/** The words of the sidecar to its callers have a list of their own. */
const NAMES_FAILURES =
  /^(?:packages\/token-broker\/src\/(?!sidecar\/)|apps\/server\/src\/doctor\/connection\/)/

test('every failure that the token broker names has a row in the catalogue of provider errors', () => {
  const named = sources
    .filter(({ file }) => NAMES_FAILURES.test(file))
    .flatMap(({ file, text }) =>
      [
        /\bfailure\(\s*'[a-z-]+',\s*'([a-z0-9_]+)'/g,
        /\bcode: (?:\w+ \? )?'([a-z0-9]+_[a-z0-9_]+)'(?: : '([a-z0-9_]+)')?/g,
        /\bnew SignInRefused\(\s*'([a-z0-9_]+)'/g,
      ].flatMap((pattern) =>
        [...text.matchAll(pattern)].flatMap(([, ...codes]) =>
          codes.filter(Boolean).map((code) => ({ file, code })),
        ),
      ),
    )
  const seen = new Set(named.map(({ code }) => code))
  assert.deepEqual(
    BROKER_FINDINGS.filter((code) => !seen.has(code)),
    [],
    'the scan sees every one',
  )
  assert.deepEqual(
    named.filter(({ code }) => !Object.hasOwn(PROVIDER_ERRORS, code)),
    [],
  )
})

test('provider errors are told for the presets that there are, in the kinds that there are', () => {
  assert.deepEqual([...PROVIDER_NAMES].sort(), [...CONNECTION_PRESET_NAMES].sort())
  const kinds = new Set<string>(FAILURE_KINDS)
  for (const [code, { kind }] of Object.entries(PROVIDER_ERRORS)) assert.ok(kinds.has(kind), code)
})
