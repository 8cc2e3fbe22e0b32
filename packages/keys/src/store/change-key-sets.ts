import { createPublicKey } from 'node:crypto'
import type { PoolClient } from 'pg'
import type { SignatureAlgorithm } from '../key-signer.ts'
import { certificateOf, pemOf, readCertificates } from '../material/certificate-chain.ts'
import { keyKindOf } from '../material/key-kind.ts'
import { type KeyMaterial, KeyMaterialError } from '../material/key-material.ts'
import { generateKey, kindFor } from './generate-key.ts'
import { insertKey, retireKey } from './insert-key.ts'
import { readSets, type SetRows } from './key-rows.ts'
import { type GeneratedKind, type KeyAnswer, nameProblem, type WhenExpired } from './key-set.ts'
import type { PrivateKeys } from './private-keys.ts'
import { kidOf } from './public-jwk.ts'
import { LOCK, type SignKeysDeps } from './sign-keys-deps.ts'

export interface NewKeySet {
  readonly name: string
  /** Either the key that signs first, or what kind to make. */
  readonly material?: KeyMaterial
  readonly generate?: GeneratedKind
  /** The usual one first. Default: the usual one of the key. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  readonly whenExpired?: WhenExpired
}

export interface RotateOptions {
  /** Even if the next key was published too short a time ago, or lacks the certificate of the current. */
  readonly force?: boolean
}

/** Verifiers that read the key set may hold it as long as its Cache-Control says, and a bit. */
export const PUBLISH_BEFORE_USE_SECONDS = 600

export interface ChangeKeySets {
  add(set: NewKeySet): Promise<KeyAnswer<{ readonly kid: string }>>
  addNext(name: string, material: KeyMaterial): Promise<KeyAnswer<{ readonly kid: string }>>
  rotate(
    name: string,
    options?: RotateOptions,
  ): Promise<KeyAnswer<{ readonly kid: string; readonly retired: string; readonly next?: string }>>
  attachCertificate(
    name: string,
    certificate: string | Uint8Array,
  ): Promise<KeyAnswer<{ readonly kid: string }>>
  remove(name: string): Promise<KeyAnswer<object>>
}

/** What operators change. Every change is one transaction; of several at once each sees the former. */
export function createChangeKeySets(deps: SignKeysDeps, privateKeys: PrivateKeys): ChangeKeySets {
  const { transaction, nowMs } = deps

  /** Of a stored set, under the lock. */
  function change<Value>(
    name: string,
    work: (sql: PoolClient, rows: SetRows) => Promise<KeyAnswer<Value>>,
  ): Promise<KeyAnswer<Value>> {
    return transaction(async (sql) => {
      await sql.query(LOCK)
      const [rows] = await readSets(sql, nowMs(), name)
      if (rows === undefined) return unknownKey(name)
      return rows.set.source === 'config' ? declaredKey(name) : work(sql, rows)
    })
  }

  return {
    async add({ name, material, generate, algorithms, whenExpired = 'refuse' }) {
      const problem = nameProblem(name)
      if (problem !== undefined) return { ok: false, status: 400, why: problem }
      const kind = generate ?? kindFor(algorithms?.[0] ?? 'RS256')
      const current = material ?? (await made(kind, name))
      const checked = checkAlgorithms(current, algorithms)
      if (!checked.ok) return checked
      const next = material === undefined ? await made(kind, name) : undefined
      return transaction(async (sql) => {
        await sql.query(LOCK)
        const { rowCount } = await sql.query(
          `INSERT INTO sign_key_set (name, source, algorithms, generated, when_expired, created_ms)
           VALUES ($1, 'stored', $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
          [name, checked.algorithms, material ? null : kind, whenExpired, nowMs()],
        )
        if (rowCount === 0) {
          return {
            ok: false,
            status: 409,
            why: `there is a key \`${name}\` already`,
            fix: 'import the one that follows it with `--next`, or choose another name',
          }
        }
        const kid = await insertKey(sql, privateKeys, name, 'current', current, nowMs())
        if (next) await insertKey(sql, privateKeys, name, 'next', next, nowMs())
        return { ok: true, kid }
      })
    },

    addNext: (name, material) =>
      change(name, async (sql, { set, keys }) => {
        const checked = checkAlgorithms(material, set.algorithms)
        if (!checked.ok) return checked
        const kid = kidOf(material)
        if (keys.some((key) => key.kid === kid && key.state !== 'next')) {
          return { ok: false, status: 409, why: `the key \`${kid}\` is in \`${name}\` already` }
        }
        await sql.query(`DELETE FROM sign_key WHERE set_name = $1 AND state = 'next'`, [name])
        await insertKey(sql, privateKeys, name, 'next', material, nowMs())
        return { ok: true, kid }
      }),

    rotate: (name, { force = false } = {}) =>
      change<{ kid: string; retired: string; next?: string }>(name, async (sql, { set, keys }) => {
        const current = keys.find(({ state }) => state === 'current')
        const next = keys.find(({ state }) => state === 'next')
        if (next === undefined) {
          return {
            ok: false,
            status: 409,
            why: `\`${name}\` has no next key`,
            fix: `import it first, so that it is published before it signs: \`scopegate key import ${name} --next --file new.pem\``,
          }
        }
        const ageSeconds = Math.floor((nowMs() - next.published_ms) / 1000)
        if (!force && ageSeconds < PUBLISH_BEFORE_USE_SECONDS) {
          const wait = PUBLISH_BEFORE_USE_SECONDS - ageSeconds
          return {
            ok: false,
            status: 409,
            why: `the next key was published ${ageSeconds} seconds ago: who verifies may not have seen it`,
            fix: `wait ${wait} seconds, or, if nobody reads the key set by its address, rotate with \`--now\``,
          }
        }
        if (!force && current?.certificates != null && next.certificates === null) {
          return {
            ok: false,
            status: 409,
            why: `the current key has a certificate, the next one has none`,
            fix: `request one (\`scopegate key csr ${name}\`) and attach it (\`scopegate key certificate ${name} --file new.crt\`), or rotate with \`--now\``,
          }
        }
        const retired = await retireKey(sql, name, 'current', nowMs())
        await sql.query(
          `UPDATE sign_key SET state = 'current' WHERE set_name = $1 AND state = 'next'`,
          [name],
        )
        const follows =
          set.generated === null ? undefined : await made(set.generated, `next of ${name}`)
        const nextKid =
          follows && (await insertKey(sql, privateKeys, name, 'next', follows, nowMs()))
        await sql.query('DELETE FROM sign_key WHERE gone_ms < $1', [nowMs()])
        return {
          ok: true,
          kid: next.kid,
          retired: retired ?? '',
          ...(nextKid === undefined ? {} : { next: nextKid }),
        }
      }),

    attachCertificate: (name, certificate) =>
      change(name, async (sql, { keys }) => {
        const given = readCertificates(certificate, `certificate of ${name}`)
        // The one key that it certifies: a certificate for the next key comes before the rotation.
        for (const row of keys.filter(({ state }) => state !== 'retired')) {
          const { privateKey } = privateKeys.open({ ...row, certificates: null })
          if (!given.some((one) => one.checkPrivateKey(privateKey))) continue
          const chain = certificateOf(privateKey, given, name)
          await sql.query(
            `UPDATE sign_key SET certificates = $3, not_before = $4, not_after = $5
              WHERE set_name = $1 AND kid = $2`,
            [name, row.kid, pemOf(chain), chain.notBefore, chain.notAfter],
          )
          return { ok: true, kid: row.kid }
        }
        throw new KeyMaterialError(
          `certificate of ${name}`,
          'it certifies neither the current nor the next key',
          `request one for it: \`scopegate key csr ${name}\``,
        )
      }),

    remove: (name) =>
      change(name, async (sql) => {
        await sql.query('DELETE FROM sign_key_set WHERE name = $1', [name])
        return { ok: true }
      }),
  }
}

export function unknownKey(name: string) {
  const why = `no key \`${name.slice(0, 64)}\``
  return {
    ok: false,
    status: 404,
    why,
    fix: '`scopegate key list` (GET /keys) lists them',
  } as const
}

export function declaredKey(name: string) {
  return {
    ok: false,
    status: 409,
    why: `\`${name}\` is declared in the configuration and read-only here`,
    fix: 'change it under `keys` in scopegate.yaml',
  } as const
}

async function made(kind: GeneratedKind, name: string): Promise<KeyMaterial> {
  const privateKey = await generateKey(kind)
  const publicKey = createPublicKey(privateKey)
  return { name, privateKey, publicKey, ...keyKindOf(privateKey, name) }
}

/** Those of the set, which the key must be able to do. */
export function checkAlgorithms(
  { algorithms: able, description }: KeyMaterial,
  wanted: readonly SignatureAlgorithm[] = able.slice(0, 1),
): KeyAnswer<{ readonly algorithms: readonly SignatureAlgorithm[] }> {
  const unable = wanted.find((alg) => !able.includes(alg))
  if (unable === undefined && wanted.length > 0) return { ok: true, algorithms: wanted }
  return {
    ok: false,
    status: 400,
    why: `a key of type ${description} cannot sign with ${unable ?? 'nothing'}`,
    fix: `use ${able.join(', ')}`,
  }
}
