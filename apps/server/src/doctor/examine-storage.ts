import { attachStorage, migrations, type Storage } from '@scopegate/storage'
import type { Config } from '../config.ts'
import { type Examination, fail, pass, reasonOf, type Told, warn } from './finding.ts'

/**
 * The database. Without `storage`, an external one is asked; an embedded one that is not running is
 * left alone: starting it is the server's business.
 */
export function examineStorage(config: Config, storage: Storage | undefined): Examination {
  return {
    subject: config.databaseUrl ? 'database (storage.url)' : 'database (embedded)',
    isRemote: config.databaseUrl !== undefined,
    async examine() {
      if (storage !== undefined) return judge(storage)
      const where = config.databaseUrl ? { url: config.databaseUrl.reveal() } : config.dataDir
      let attached: Storage | undefined
      try {
        attached = await attachStorage(where, { poolSize: 1 })
      } catch (error) {
        return [fail('reach', why(error), fixOf(error))]
      }
      if (attached === undefined) return [pass('reach', 'not running; it starts with the server')]
      try {
        return await judge(attached)
      } finally {
        await attached.close()
      }
    },
  }
}

async function judge(storage: Storage): Promise<readonly Told[]> {
  try {
    const startedMs = performance.now()
    const { rows } = await storage.pool.query<{ name: string }>(
      'SELECT name FROM scopegate_migration ORDER BY version',
    )
    const tookMs = Math.round(performance.now() - startedMs)
    const version = `PostgreSQL ${Math.floor(storage.serverVersion / 10_000)}`
    const missing = migrations.length - rows.length
    return [
      tookMs < 250
        ? pass('reach', version)
        : warn(
            'reach',
            `${version}, slow: ${tookMs} ms for a small query`,
            'look at its load, and the way to it',
          ),
      missing === 0
        ? pass('migrations', `${rows.length}, up to date`)
        : warn(
            'migrations',
            `${missing} to come`,
            'they are made at the next start; make a backup before',
          ),
    ]
  } catch (error) {
    return [fail('reach', why(error), fixOf(error))]
  }
}

/** Connection errors may repeat the URL, with its password. */
function why(error: unknown): string {
  return reasonOf(error).replaceAll(/postgres(?:ql)?:\/\/\S+/g, '[the database URL]')
}

function fixOf(error: unknown): string {
  const fix = (error as { fix?: unknown } | null)?.fix
  return typeof fix === 'string'
    ? fix
    : 'look whether it runs and whether storage.url names it, with a user that may log in'
}
