import type { SigningWish } from '../grants/judge-signing.ts'
import {
  type ClaimTemplate,
  findGrantProblems,
  type GrantHolder,
  type SigningGrant,
} from '../grants/signing-grant.ts'
import type { KeySigner, SignatureAlgorithm } from '../key-signer.ts'
import { createRequest, type RequestNames } from './certificate-request.ts'
import {
  type ChangeKeySets,
  createChangeKeySets,
  declaredKey,
  unknownKey,
} from './change-key-sets.ts'
import { type DeclaredKeySet, declareKeySets } from './declare-key-sets.ts'
import { exportKey } from './export-key.ts'
import { readSets, viewOf } from './key-rows.ts'
import type { KeyAnswer, KeySetView, PublicJwk } from './key-set.ts'
import { createPrivateKeys } from './private-keys.ts'
import { jwksOf } from './public-jwk.ts'
import { shareReads } from './share-reads.ts'
import { grantsFor, type SignAnswer, type SigningCaller, signerOf, signFor } from './sign-for.ts'
import { LOCK, type SignKeysDeps } from './sign-keys-deps.ts'

/** There is no such key, or it does not sign that way; for who asks in the name of the server. */
export class SignKeyUnavailable extends Error {
  override readonly name = 'SignKeyUnavailable'
}

/**
 * Keys that sign without being seen. The truth is in the database: every call reads it, so that all
 * servers on it agree at once. No member gives a private key but `export`.
 */
export interface SignKeys extends ChangeKeySets {
  list(): Promise<readonly KeySetView[]>
  find(name: string): Promise<KeySetView | undefined>
  /** The public part, for who may sign with it; `undefined` for others and where there is none. */
  findFor(name: string, caller: SigningCaller): Promise<KeySetView | undefined>
  /** The published key set; `undefined` where there is none. */
  jwks(name: string): Promise<{ readonly keys: readonly PublicJwk[] } | undefined>
  /** Judges and signs. The caller records the answer's `record` before it gives the JWT away. */
  sign(name: string, caller: SigningCaller, wish: SigningWish): Promise<SignAnswer>
  /**
   * The key that signs now, for what this server sends in its own name. Ask for each signature: it
   * changes with a rotation. @throws {SignKeyUnavailable}
   */
  signer(name: string, alg?: SignatureAlgorithm): Promise<KeySigner>
  /** Gives a client or role the right to use the key, in place of what it had. */
  grant(
    name: string,
    holder: GrantHolder,
    template: ClaimTemplate,
  ): Promise<KeyAnswer<{ readonly grant: SigningGrant }>>
  revoke(name: string, holder: GrantHolder): Promise<KeyAnswer<object>>
  /** Takes every stored grant of a client that is no more: another may get its name. @returns how many */
  revokeAllOf(holder: GrantHolder): Promise<number>
  /** PKCS#10, PEM, signed by the next key if there is one, else by the current. */
  certificateRequest(
    name: string,
    names: RequestNames,
  ): Promise<KeyAnswer<{ readonly pem: string; readonly kid: string }>>
  /** Encrypted PKCS#8. Whether it may be had at all is for the caller to decide. */
  export(
    name: string,
    passphrase: string,
  ): Promise<KeyAnswer<{ readonly pem: string; readonly kid: string }>>
  /** Makes the sets of the configuration what it says. @throws {DeclaredKeyConflict} */
  declare(sets: readonly DeclaredKeySet[]): Promise<void>
}

export function createSignKeys(deps: SignKeysDeps): SignKeys {
  const { pool, nowMs, sealer } = deps
  const privateKeys = createPrivateKeys(sealer)
  // A busy key is asked for by many at a time.
  const readSet = shareReads(async (name) => (await readSets(pool, nowMs(), name))[0])

  async function find(name: string): Promise<KeySetView | undefined> {
    const rows = await readSet(name)
    return rows && viewOf(rows, nowMs())
  }

  return {
    ...createChangeKeySets(deps, privateKeys),
    find,

    async list() {
      return (await readSets(pool, nowMs())).map((rows) => viewOf(rows, nowMs()))
    },

    async findFor(name, caller) {
      const rows = await readSet(name)
      if (rows === undefined) return undefined
      const grants = grantsFor(rows, caller)
      return grants.length === 0 ? undefined : { ...viewOf(rows, nowMs()), grants }
    },

    async jwks(name) {
      const set = await find(name)
      return set && jwksOf(set)
    },

    sign: (name, caller, wish) => signFor({ ...deps, readSet, privateKeys }, name, caller, wish),

    async signer(name, alg) {
      const rows = await readSet(name)
      if (rows === undefined) throw new SignKeyUnavailable(`there is no key \`${name}\``)
      const { algorithms } = rows.set
      const chosen = alg ?? algorithms[0]
      if (chosen !== undefined && algorithms.includes(chosen)) {
        return signerOf(rows, privateKeys, chosen)
      }
      throw new SignKeyUnavailable(
        `the key \`${name}\` signs with ${algorithms.join(', ')}, not with ${alg}: name it among its algorithms`,
      )
    },

    grant: (name, holder, template) =>
      deps.transaction(async (sql) => {
        await sql.query(LOCK)
        const [rows] = await readSets(sql, nowMs(), name)
        if (rows === undefined) return unknownKey(name)
        if (rows.set.source === 'config') return declaredKey(name)
        const [problem] = findGrantProblems(template, rows.set.algorithms)
        if (problem !== undefined) {
          const { path, message, fix } = problem
          const why = `\`${path.join('.')}\` ${message}`
          return { ok: false, status: 400, why, ...(fix === undefined ? {} : { fix }) }
        }
        await sql.query(
          `INSERT INTO sign_grant (set_name, holder_kind, holder, source, template, created_ms)
           VALUES ($1, $2, $3, 'stored', $4, $5)
           ON CONFLICT (set_name, holder_kind, holder) DO UPDATE SET template = $4, created_ms = $5`,
          [name, holder.kind, holder.name, JSON.stringify(template), nowMs()],
        )
        return { ok: true, grant: { holder, source: 'stored', ...template } }
      }),

    async revoke(name, holder) {
      const set = await find(name)
      if (set === undefined) return unknownKey(name)
      if (set.source === 'config') return declaredKey(name)
      const { rowCount } = await pool.query(
        'DELETE FROM sign_grant WHERE set_name = $1 AND holder_kind = $2 AND holder = $3',
        [name, holder.kind, holder.name],
      )
      if (rowCount === 1) return { ok: true }
      return { ok: false, status: 404, why: `${holder.kind} \`${holder.name}\` has no grant on it` }
    },

    async revokeAllOf({ kind, name }) {
      const { rowCount } = await pool.query(
        `DELETE FROM sign_grant WHERE holder_kind = $1 AND holder = $2 AND source = 'stored'`,
        [kind, name],
      )
      return rowCount ?? 0
    },

    async certificateRequest(name, names) {
      const [rows] = await readSets(pool, nowMs(), name)
      if (rows === undefined) return unknownKey(name)
      const row =
        rows.keys.find(({ state, certificates }) => state === 'next' && certificates === null) ??
        rows.keys.find(({ state }) => state === 'current')
      if (row === undefined) return unknownKey(name)
      const { privateKey } = privateKeys.open(row)
      return { ok: true, pem: await createRequest(privateKey, names), kid: row.kid }
    },

    export: (name, passphrase) => exportKey(deps, privateKeys, name, passphrase),

    declare: (sets) => declareKeySets(deps, privateKeys, sets),
  }
}
