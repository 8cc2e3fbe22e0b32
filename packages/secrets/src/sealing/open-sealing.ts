import { randomUUID } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import { type MasterKey, MasterKeyError } from '../master-key.ts'
import { createKeyRing, type KeyRing, type Sealer } from '../sealer.ts'
import { inTransaction } from './in-transaction.ts'
import { RekeyRefused, type RekeyStatus } from './rekey-status.ts'
import { countOthers } from './reseal.ts'
import { createResealing } from './resealing.ts'
import {
  checkKeys,
  currentOf,
  formerOf,
  type KeyRow,
  readKeyRows,
  recordKeys,
  SEALING_LOCK,
  writeKey,
} from './sealing-keys.ts'
import { deriveFromRoot, type SealingRoot } from './sealing-root.ts'
import { createServerList } from './sealing-servers.ts'

export interface SealingEvent {
  readonly kind: 'began' | 'finished'
  readonly current: string
  readonly former: readonly string[]
}

export interface SealingDeps {
  readonly pool: Pool
  /** The master keys that this server was given, newest first; asked again at every beat. */
  readonly loadKeys: () => Promise<readonly MasterKey[]>
  /** Where they come from, for problems. */
  readonly source: () => string
  /** Puts a new key in front of the others, where this server keeps them itself. */
  readonly makeKey?: (() => Promise<unknown>) | undefined
  /** What other servers' operators call this one. */
  readonly name: string
  readonly onEvent?: (event: SealingEvent) => void
  readonly onError?: (error: unknown) => void
  /** How often the database is asked which key is in force. */
  readonly beatMs?: number
  /** The longest that a value may be on its way into the database after it was sealed. */
  readonly settleMs?: number
  /** A server that told nothing for so long is gone. */
  readonly goneSeconds?: number
}

/** Sealing on one database, the same on every server of it. */
export interface Sealing {
  readonly sealer: Sealer
  /** 32 bytes for one use: the same on every server, and under every master key. */
  derive(use: string): Uint8Array
  status(): Promise<RekeyStatus>
  /**
   * Puts the newest known key, or `to`, in force, and begins to seal everything anew with it. While
   * that is under way already: how far it is.
   *
   * @throws {RekeyRefused}
   */
  rekey(options?: {
    readonly to?: string
    readonly leaveUnreadable?: boolean
  }): Promise<RekeyStatus>
  /** Looks at keys and database now. */
  beat(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens sealing: finds out which master key is in force on this database, sees that this server has
 * it, and follows changes. Which key seals is on record in the database, so that any number of
 * servers turn to a new one together; the keys themselves are never in it.
 *
 * @throws {MasterKeyError} if a key that the database needs is missing or wrong.
 */
export async function openSealing(deps: SealingDeps): Promise<Sealing> {
  const { pool, source } = deps
  const beatMs = deps.beatMs ?? 2000
  const ended = new AbortController()
  const servers = createServerList({
    ...{ pool, id: randomUUID(), name: deps.name },
    goneSeconds: deps.goneSeconds ?? 30,
  })
  let given = await loadSome()
  let known = given
  let lastProblem = ''

  /** What goes on being wrong is told once. */
  function onError(error: unknown): void {
    const problem = error instanceof Error ? error.message : 'unknown'
    if (problem !== lastProblem && !ended.signal.aborted) deps.onError?.(error)
    lastProblem = problem
  }

  const opened = await inTransaction(pool, async (client) => {
    await client.query(SEALING_LOCK)
    if ((await readKeyRows(client)).length === 0) await recordKeys(client, given, source())
    const rows = await readKeyRows(client)
    checkKeys(rows, given, source())
    const ring = createKeyRing(given, currentOf(rows).id)
    await servers.tell(client, idsOf(given), ring.currentId)
    return { ring, root: await readRoot(client, ring) }
  })
  const { ring, root } = opened
  const resealing = createResealing({
    ...{ pool, ring, servers, onError },
    settleMs: deps.settleMs ?? 10_000,
    signal: ended.signal,
    onFinished: (current, former) => deps.onEvent?.({ kind: 'finished', current, former }),
  })

  async function loadSome(): Promise<readonly MasterKey[]> {
    const keys = await deps.loadKeys()
    if (keys.length === 0) throw new MasterKeyError(`${source()} holds no key`)
    return keys
  }

  /** A key that was taken away too early is kept while this server runs, and told of. */
  async function lookAtKeys(rows: readonly KeyRow[]): Promise<void> {
    try {
      given = await loadSome()
      checkKeys(rows, given, source())
      lastProblem = ''
    } catch (error) {
      onError(error)
    }
    const isNeeded = ({ id }: MasterKey) =>
      rows.some((row) => row.id === id) && !given.some((key) => key.id === id)
    known = [...given, ...known.filter(isNeeded)]
  }

  async function look(): Promise<readonly KeyRow[]> {
    const rows = await readKeyRows(pool)
    await lookAtKeys(rows)
    const { id } = currentOf(rows)
    // Without it nothing could be sealed: `lookAtKeys` has told, the former one goes on.
    if (known.some((key) => key.id === id)) {
      if (ring.currentId !== id) resealing.restart()
      ring.use(known, id)
    }
    await servers.tell(pool, idsOf(known), ring.currentId)
    return rows
  }

  async function beat(): Promise<void> {
    const rows = await look()
    if (rows.length > 1) resealing.take(rows)
  }

  async function status(): Promise<RekeyStatus> {
    const rows = await readKeyRows(pool)
    const [current, former] = [currentOf(rows).id, formerOf(rows)]
    const { unreadable } = resealing
    const remainingByColumn = former.length === 0 ? [] : await countOthers(pool, current)
    const remaining = remainingByColumn.reduce((sum, each) => sum + each.rows, 0)
    const alive = await servers.list(pool)
    const waitingFor = alive.filter(({ seals }) => seals !== current).map(({ name }) => name)
    const isBlocked = unreadable > 0 && remaining <= unreadable
    const state =
      former.length === 0
        ? 'done'
        : waitingFor.length > 0
          ? 'waiting'
          : isBlocked
            ? 'blocked'
            : 'resealing'
    return {
      ...{ state, current, former, remaining, remainingByColumn },
      ...{ unreadable: former.length === 0 ? 0 : unreadable, servers: alive, waitingFor },
    }
  }

  async function rekey(options: { to?: string; leaveUnreadable?: boolean } = {}) {
    const rows = await look()
    const { id } = currentOf(rows)
    if (rows.length === 1) await begin(currentOf(rows), options.to)
    else if (options.to !== undefined && options.to !== id) {
      throw new RekeyRefused(`the change to master key \`${id}\` is not finished yet`)
    }
    if (options.leaveUnreadable === true) {
      await pool.query(`UPDATE sealing_key SET leave_unreadable = true WHERE status = 'current'`)
      resealing.restart()
    }
    await beat()
    return status()
  }

  async function begin(former: KeyRow, to: string | undefined): Promise<void> {
    if (to === undefined && given[0]?.id === former.id && deps.makeKey !== undefined) {
      await deps.makeKey()
      given = await loadSome()
    }
    const id = to ?? given[0]?.id
    if (id === former.id) {
      throw new RekeyRefused(
        `master key \`${id}\` is in force already: put a new one in front of it in ${source()} (\`openssl rand -base64 32\` makes one), on every server, then begin again`,
      )
    }
    const key = given.find((each) => each.id === id)
    if (key === undefined) throw new RekeyRefused(`${source()} holds no master key \`${id}\``)
    known = [key, ...known.filter(({ id }) => id !== key.id)]
    await servers.tell(pool, idsOf(known), ring.currentId)
    // Servers that read the same file notice by themselves.
    await servers.untilKnown(key.id, 3 * beatMs)
    await inTransaction(pool, async (client) => {
      await client.query(SEALING_LOCK)
      const strangers = (await servers.list(client)).filter(({ knows }) => !knows.includes(key.id))
      if (strangers.length > 0) {
        throw new RekeyRefused(
          `master key \`${key.id}\` is not known to ${strangers.map(({ name }) => name).join(', ')} yet: give it to every server of this database, then begin again`,
        )
      }
      const { rowCount } = await client.query(
        `UPDATE sealing_key SET status = 'former', since = now(), leave_unreadable = false
          WHERE id = $1 AND status = 'current'`,
        [former.id],
      )
      // Another server was faster: its change goes on.
      if (rowCount === 1) await writeKey(client, key, 'current')
    })
    deps.onEvent?.({ kind: 'began', current: key.id, former: [former.id] })
  }

  let beating: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    beating = beating.then(beat).catch(onError)
  }, beatMs)
  timer.unref()

  return {
    sealer: ring,
    derive: (use) => deriveFromRoot(root, use),
    ...{ status, rekey, beat },
    async close() {
      clearInterval(timer)
      ended.abort()
      await beating
      await resealing.idle()
      await servers.leave().catch(onError)
    },
  }
}

async function readRoot(client: Pick<PoolClient, 'query'>, ring: KeyRing): Promise<SealingRoot> {
  const { rows } = await client.query<{ sealed: string }>('SELECT sealed FROM sealing_root')
  return ring.unseal(rows[0]?.sealed ?? '', 'sealing_root')
}

function idsOf(keys: readonly MasterKey[]): readonly string[] {
  return keys.map(({ id }) => id)
}
