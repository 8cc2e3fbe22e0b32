import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SEALED_COLUMNS } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'

// A change of the master key seals anew what SEALED_COLUMNS names, and nothing else: whoever seals
// something for the database declares the column there, and says here where that is done.

/** Files that seal, with the columns that it goes to; none: it is stored nowhere, but travels. */
const SEALS: Readonly<Record<string, readonly string[]>> = {
  'packages/api-gateway/src/login/create-web-logins.ts': ['web_session.sealed'],
  'packages/api-gateway/src/login/web-session-store.ts': ['web_session.sealed'],
  'packages/authorization-server/src/engine/model-store.ts': ['engine_model.payload'],
  'packages/authorization-server/src/interaction/pending-sign-in.ts': [],
  'packages/authorization-server/src/keys/signing-keys.ts': ['signing_key.sealed_jwk'],
  'packages/authorization-server/src/refresh/refresh-answers.ts': ['refresh_answer.answer'],
  'packages/identity/src/users/password-changes.ts': ['identity_user.sealed_password'],
  'packages/identity/src/users/second-factor-setup.ts': [
    'identity_totp.pending_secret',
    'identity_totp.sealed_secret',
  ],
  'packages/identity/src/users/sign-in-steps.ts': ['identity_user.sealed_password'],
  'packages/keys/src/store/private-keys.ts': ['sign_key.sealed'],
  'packages/oidc-login/src/login-state.ts': [],
  // Inside of what web_session.sealed holds.
  'packages/oidc-login/src/upstream-logins.ts': ['web_session.sealed'],
  'packages/secrets/src/sealing/reseal.ts': [],
  // The proof of a key stays under that key.
  'packages/secrets/src/sealing/sealing-keys.ts': ['sealing_root.sealed'],
  'packages/token-broker/src/interactive/sign-ins.ts': [],
  'packages/token-broker/src/store/postgres-token-store.ts': [
    'broker_gate.sealed',
    'broker_grant.sealed',
    'broker_token.sealed',
  ],
}

const ROOT = join(import.meta.dirname, '..')
const DECLARED = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort()

test('whatever is sealed for the database is declared', () => {
  const files = globSync(['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'], { cwd: ROOT })
    .filter((file) => !/\.(test|fixture)\.ts$|\/testing\/|test-support/.test(file))
    .filter((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8')
      return /\b(?:sealer|ring|createKeyRing\([^)]*\)|createSealer\([^)]*\))\.seal\(/.test(text)
    })
  assert.deepEqual(
    files.sort(),
    Object.keys(SEALS).sort(),
    'a file that seals must be listed above, and its columns in SEALED_COLUMNS',
  )
  assert.deepEqual([...new Set(Object.values(SEALS).flat())].sort(), DECLARED)
})

test('every declared column is there, with the primary key as declared', async (t) => {
  const { pool } = await testStorage(t)
  for (const { table, column, key } of SEALED_COLUMNS) {
    const { rows } = await pool.query<{ name: string; type: string }>(
      `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type
         FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum)`,
      [table],
    )
    assert.deepEqual(
      rows.map(({ name, type }) => [name, type]),
      Object.entries(key),
      table,
    )
    await pool.query(`SELECT ${column} FROM ${table} LIMIT 0`)
  }
})

test('columns that are called sealed are', async (t) => {
  const { pool } = await testStorage(t)
  const { rows } = await pool.query<{ name: string }>(
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name LIKE '%sealed%'`,
  )
  for (const { name } of rows) assert.ok(DECLARED.includes(name), name)
})
