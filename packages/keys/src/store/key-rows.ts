import type { ClientBase, Pool } from 'pg'
import type { ClaimTemplate, SigningGrant } from '../grants/signing-grant.ts'
import type { SignatureAlgorithm } from '../key-signer.ts'
import { readCertificates, summaryOf } from '../material/certificate-chain.ts'
import { findKeyWarnings } from '../material/key-warnings.ts'
import type {
  GeneratedKind,
  KeySetView,
  KeyState,
  KeyView,
  PublicJwk,
  WhenExpired,
} from './key-set.ts'

export interface SetRow {
  name: string
  source: 'config' | 'stored'
  algorithms: SignatureAlgorithm[]
  generated: GeneratedKind | null
  when_expired: WhenExpired
  created_ms: number
}

export interface KeyRow {
  set_name: string
  kid: string
  state: KeyState
  public_jwk: PublicJwk
  sealed: string | null
  certificates: string | null
  not_before: number | null
  not_after: number | null
  published_ms: number
  retired_ms: number | null
  gone_ms: number | null
}

export interface GrantRow {
  set_name: string
  holder_kind: 'client' | 'role'
  holder: string
  source: 'config' | 'stored'
  template: ClaimTemplate
}

export interface SetRows {
  readonly set: SetRow
  readonly keys: readonly KeyRow[]
  readonly grants: readonly GrantRow[]
}

type Sql = Pick<Pool | ClientBase, 'query'>

/** One set or all, by name, with what belongs to each. Retired keys whose time is over are left out. */
export async function readSets(sql: Sql, nowMs: number, name?: string): Promise<SetRows[]> {
  // One statement, so that the three belong together.
  const { rows } = await sql.query<{ set: SetRow; keys: KeyRow[]; grants: GrantRow[] }>({
    name: 'sign-key-sets',
    text: `
      SELECT to_jsonb(s) AS set,
             coalesce((SELECT jsonb_agg(to_jsonb(k) ORDER BY array_position(ARRAY['current', 'next', 'retired'], k.state),
                                        k.retired_ms DESC, k.kid)
                         FROM sign_key k
                        WHERE k.set_name = s.name AND (k.gone_ms IS NULL OR k.gone_ms > $1)), '[]') AS keys,
             coalesce((SELECT jsonb_agg(to_jsonb(g) ORDER BY g.holder_kind, g.holder)
                         FROM sign_grant g WHERE g.set_name = s.name), '[]') AS grants
        FROM sign_key_set s
       WHERE $2::text IS NULL OR s.name = $2
       ORDER BY s.name`,
    values: [nowMs, name ?? null],
  })
  return rows
}

export function viewOf({ set, keys, grants }: SetRows, nowMs: number): KeySetView {
  const views = keys.map(keyViewOf)
  const nowSeconds = Math.floor(nowMs / 1000)
  return {
    name: set.name,
    source: set.source,
    algorithms: set.algorithms,
    ...(set.generated === null ? {} : { generated: set.generated }),
    whenExpired: set.when_expired,
    createdAt: Math.floor(set.created_ms / 1000),
    keys: views,
    grants: grants.map(grantOf),
    warnings: views
      .filter(({ state }) => state !== 'retired')
      .flatMap(({ certificate }) => findKeyWarnings(certificate, nowSeconds)),
  }
}

export function grantOf({ holder_kind, holder, source, template }: GrantRow): SigningGrant {
  return { holder: { kind: holder_kind, name: holder }, source, ...template }
}

function keyViewOf(row: KeyRow): KeyView {
  return {
    kid: row.kid,
    state: row.state,
    publicJwk: row.public_jwk,
    publishedAt: Math.floor(row.published_ms / 1000),
    ...(row.retired_ms === null ? {} : { retiredAt: Math.floor(row.retired_ms / 1000) }),
    ...(row.certificates === null
      ? {}
      : {
          certificate: {
            ...summaryOf(readCertificates(row.certificates, row.kid)),
            pem: row.certificates,
          },
        }),
  }
}
