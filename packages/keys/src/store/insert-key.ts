import type { ClientBase } from 'pg'
import { pemOf } from '../material/certificate-chain.ts'
import type { KeyMaterial } from '../material/key-material.ts'
import type { PrivateKeys } from './private-keys.ts'
import { kidOf, publicJwkOf } from './public-jwk.ts'

/** Writes a key of a set; its private part sealed. @returns its `kid` */
export async function insertKey(
  sql: ClientBase,
  privateKeys: PrivateKeys,
  setName: string,
  state: 'current' | 'next',
  material: KeyMaterial,
  nowMs: number,
): Promise<string> {
  const kid = kidOf(material)
  const { certificate } = material
  await sql.query(
    `INSERT INTO sign_key
       (set_name, kid, state, public_jwk, sealed, certificates, not_before, not_after, published_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (set_name, kid) DO UPDATE
       SET state = $3, public_jwk = $4, sealed = $5, certificates = $6, not_before = $7,
           not_after = $8, retired_ms = NULL, gone_ms = NULL`,
    [
      setName,
      kid,
      state,
      JSON.stringify(publicJwkOf(material, kid)),
      privateKeys.seal(material.privateKey, setName, kid),
      certificate === undefined ? null : pemOf(certificate),
      certificate?.notBefore ?? null,
      certificate?.notAfter ?? null,
      nowMs,
    ],
  )
  return kid
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Takes the private part away. The public part stays published until what was signed has expired,
 * and a day more.
 */
export async function retireKey(
  sql: ClientBase,
  setName: string,
  state: 'current' | 'next',
  nowMs: number,
): Promise<string | undefined> {
  const { rows } = await sql.query<{ kid: string }>(
    `UPDATE sign_key SET state = 'retired', sealed = NULL, retired_ms = $3::bigint,
            gone_ms = $3::bigint + $4::bigint + greatest($5::bigint, (
              SELECT coalesce(max((template ->> 'maxSeconds')::bigint), 0) * 1000
                FROM sign_grant WHERE set_name = $1))
      WHERE set_name = $1 AND state = $2 RETURNING kid`,
    [setName, state, nowMs, DAY_MS, HOUR_MS],
  )
  return rows[0]?.kid
}
