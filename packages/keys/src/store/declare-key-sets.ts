import type { PoolClient } from 'pg'
import type { ClaimTemplate, GrantHolder } from '../grants/signing-grant.ts'
import type { SignatureAlgorithm } from '../key-signer.ts'
import { pemOf } from '../material/certificate-chain.ts'
import type { KeyMaterial } from '../material/key-material.ts'
import { insertKey, retireKey } from './insert-key.ts'
import { type KeyRow, readSets } from './key-rows.ts'
import type { WhenExpired } from './key-set.ts'
import type { PrivateKeys } from './private-keys.ts'
import { kidOf } from './public-jwk.ts'
import { LOCK, type SignKeysDeps } from './sign-keys-deps.ts'

/** A key as the configuration declares it. */
export interface DeclaredKeySet {
  readonly name: string
  readonly current: KeyMaterial
  /** Published, and signs once it is declared as the current one. */
  readonly next?: KeyMaterial
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly whenExpired: WhenExpired
  readonly grants: readonly (ClaimTemplate & { readonly holder: GrantHolder })[]
}

/** A key of the configuration and one that was imported have the same name. */
export class DeclaredKeyConflict extends Error {
  override readonly name = 'DeclaredKeyConflict'
}

/**
 * Makes the sets of the configuration what it says. A declared key that took the place of another
 * signs from now on, and the other stays published as a retired one. Sets that are declared no more
 * go. Writes nothing where nothing changed, so that many servers may start at once.
 *
 * @throws {DeclaredKeyConflict}
 */
export async function declareKeySets(
  deps: SignKeysDeps,
  privateKeys: PrivateKeys,
  declared: readonly DeclaredKeySet[],
): Promise<void> {
  await deps.transaction(async (sql) => {
    await sql.query(LOCK)
    await sql.query(`DELETE FROM sign_key_set WHERE source = 'config' AND name <> ALL ($1)`, [
      declared.map(({ name }) => name),
    ])
    for (const set of declared) await declareOne(sql, deps, privateKeys, set)
  })
}

async function declareOne(
  sql: PoolClient,
  { nowMs }: SignKeysDeps,
  privateKeys: PrivateKeys,
  { name, current, next, algorithms, whenExpired, grants }: DeclaredKeySet,
): Promise<void> {
  const [former] = await readSets(sql, nowMs(), name)
  if (former?.set.source === 'stored') {
    throw new DeclaredKeyConflict(
      `the key \`${name}\` of the configuration is in the database already, where it was imported: rename it, or remove that one (\`scopegate key remove ${name}\`)`,
    )
  }
  await sql.query(
    `INSERT INTO sign_key_set (name, source, algorithms, when_expired, created_ms)
     VALUES ($1, 'config', $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET algorithms = $2, when_expired = $3
       WHERE sign_key_set.algorithms <> $2 OR sign_key_set.when_expired <> $3`,
    [name, algorithms, whenExpired, nowMs()],
  )
  // Before the keys: how long a retired key stays published follows from the grants it had.
  const holds = (state: KeyRow['state'], material: KeyMaterial | undefined) => {
    const row = former?.keys.find((one) => one.state === state)
    if (row === undefined || material === undefined) return row === undefined && !material
    return row.kid === kidOf(material) && row.certificates === certificatesOf(material)
  }
  if (!holds('current', current) || !holds('next', next)) {
    const kids = [kidOf(current), ...(next === undefined ? [] : [kidOf(next)])]
    // Those that stay are written again below, under their new role.
    await sql.query(
      `DELETE FROM sign_key WHERE set_name = $1 AND state <> 'retired' AND kid = ANY ($2)`,
      [name, kids],
    )
    await retireKey(sql, name, 'current', nowMs())
    await retireKey(sql, name, 'next', nowMs())
    await insertKey(sql, privateKeys, name, 'current', current, publishedMs(current))
    if (next) await insertKey(sql, privateKeys, name, 'next', next, publishedMs(next))
  }
  function publishedMs(material: KeyMaterial): number {
    return former?.keys.find(({ kid }) => kid === kidOf(material))?.published_ms ?? nowMs()
  }
  await sql.query('DELETE FROM sign_grant WHERE set_name = $1', [name])
  for (const { holder, ...template } of grants) {
    await sql.query(
      `INSERT INTO sign_grant (set_name, holder_kind, holder, source, template, created_ms)
       VALUES ($1, $2, $3, 'config', $4, $5)`,
      [name, holder.kind, holder.name, JSON.stringify(template), nowMs()],
    )
  }
}

function certificatesOf({ certificate }: KeyMaterial): string | null {
  return certificate === undefined ? null : pemOf(certificate)
}
