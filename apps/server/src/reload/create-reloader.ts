import type { ConfigurationStatus } from '@scopegate/admin-api'
import { newCorrelationId } from '@scopegate/http'
import { ConfigError, formatProblem } from '../config/config-error.ts'
import type { Config } from '../config.ts'
import type { Kernel } from '../wire/kernel.ts'
import { changedSettings } from './changed-settings.ts'
import { keepUntilRestart } from './keep-until-restart.ts'
import { needsRestart } from './restart-settings.ts'

export type ReloadOutcome = 'unchanged' | 'applied' | 'refused'

export interface ReloaderDeps {
  readonly kernel: Kernel
  /** As it is in force. */
  readonly config: Config
  /** Reads everything again. @throws {ConfigError} */
  readonly read: () => Config
  /** Makes what follows from it, and gives what puts it into force. @throws: then nothing changed. */
  readonly prepare: (config: Config, changed: readonly string[]) => Promise<Prepared>
  /** Told after every attempt what was read last. */
  readonly onRead?: (config: Config) => void
}

export interface Prepared {
  readonly apply: () => void
  readonly discard: () => Promise<void>
}

export interface Reloader {
  /** One at a time; those that come meanwhile share the next. @param by what asked for it */
  reload(by: string): Promise<ReloadOutcome>
  /** Nothing runs any more. */
  idle(): Promise<void>
}

/**
 * Reads the configuration again, checks it whole, and puts it into force at once or not at all: with
 * any problem everything stays as it is. What changed is logged and audited by name.
 */
export function createReloader(deps: ReloaderDeps): Reloader {
  const { kernel, prepare } = deps
  const { log, nowMs, audits } = kernel
  let running = deps.config
  let lastRead = deps.config
  let lastProblem = ''
  let current: Promise<ReloadOutcome> | undefined
  let next: Promise<ReloadOutcome> | undefined

  async function run(by: string): Promise<ReloadOutcome> {
    let read: Config
    try {
      read = deps.read()
    } catch (error) {
      return refuse(by, problemsOf(error), [])
    }
    deps.onRead?.(read)
    const isSame = changedSettings(lastRead, read).length === 0
    if (isSame && lastProblem === '') return 'unchanged'
    const changed = changedSettings(running, read)
    const atRestart = changed.filter((path) => !isCertificate(path) && needsRestart(path))
    const now = changed.filter((path) => !atRestart.includes(path))
    const { revision } = kernel.configuration
    if (now.length > 0) {
      const config = keepUntilRestart(running, read)
      let prepared: Prepared
      try {
        prepared = await prepare(config, now)
      } catch (error) {
        return refuse(by, problemsOf(error), now)
      }
      try {
        await record(by, 'permitted', {
          changed: now,
          needsRestart: atRestart,
          revision: revision + 1,
        })
        await recordRotations(by, read)
      } catch (error) {
        await prepared.discard()
        return refuse(by, [`the change could not be recorded: ${(error as Error).message}`], now)
      }
      prepared.apply()
      running = { ...config, digests: digestsInForce(running, read) }
      log.level = config.settings.log.level
    }
    lastRead = read
    lastProblem = ''
    const names = { changed: now, needsRestart: atRestart }
    state(now.length > 0 ? revision + 1 : revision, { outcome: 'applied', ...names, problems: [] })
    if (now.length > 0)
      log.info({ by, changed: now, revision: revision + 1 }, 'configuration changed')
    if (atRestart.length > 0) {
      log.warn({ by, settings: atRestart }, 'changed in the file, in force after a restart')
    }
    return 'applied'
  }

  async function refuse(by: string, problems: readonly string[], changed: readonly string[]) {
    const text = problems.join('\n')
    // A file that is written in pieces, or an event without a change, says nothing new.
    if (text === lastProblem && by !== 'SIGHUP') return 'refused' as const
    lastProblem = text
    log.error({ by, problems }, 'the configuration cannot be used: what was in force stays')
    const { revision } = kernel.configuration
    state(revision, { outcome: 'refused', changed, needsRestart: [], problems })
    const detail = { changed, revision, problems: problems.length }
    await record(by, 'refused', detail).catch((error) => log.error({ error }, 'audit failed'))
    return 'refused' as const
  }

  function state(
    revision: number,
    last: Omit<NonNullable<ConfigurationStatus['lastReload']>, 'at'>,
  ): void {
    const at = Math.floor(nowMs() / 1000)
    const { configuration } = kernel
    kernel.configuration = {
      revision,
      loadedAt: revision === configuration.revision ? configuration.loadedAt : at,
      lastReload: { at, ...last },
    }
  }

  /** A row for each secret with another value: which one, from where, no value. */
  async function recordRotations(by: string, read: Config): Promise<void> {
    for (const { path, secret } of rotatedSecrets(running, read)) {
      const { reference, fingerprint } = secret
      log.info({ by, secret: path, source: reference, fingerprint }, 'secret rotated')
      const detail = { source: reference, fingerprint }
      await record(by, 'permitted', detail, { action: 'secret.rotate', target: path })
    }
  }

  async function record(
    by: string,
    decision: 'permitted' | 'refused',
    detail: Record<string, unknown>,
    what = { action: 'configuration.reload', target: 'configuration' },
  ): Promise<void> {
    const atMs = nowMs()
    await audits.adminAudit.record({
      atMs,
      correlationId: newCorrelationId(atMs),
      issuer: running.url,
      ...what,
      decision,
      status: decision === 'permitted' ? 200 : 400,
      detail: { by, ...detail },
    })
  }

  function start(by: string): Promise<ReloadOutcome> {
    const started = run(by)
      .catch((error) => refuse(by, problemsOf(error), []))
      .finally(() => {
        current = undefined
      })
    current = started
    return started
  }

  return {
    reload(by) {
      if (current === undefined) return start(by)
      next ??= current.then(() => {
        next = undefined
        return start(by)
      })
      return next
    },
    async idle() {
      await (next ?? current)
    },
  }
}

function digestsInForce(running: Config, read: Config): Config['digests'] {
  const isNow = ([path]: readonly [string, string]) => isCertificate(path) || !needsRestart(path)
  return new Map([
    ...[...running.digests].filter((each) => !isNow(each)),
    ...[...read.digests].filter(isNow),
  ])
}

/** Those whose value is another one than before, at the same setting, and is in force at once. */
function rotatedSecrets(running: Config, read: Config): Config['secretUses'] {
  return read.secretUses.filter(({ path }) => {
    const former = running.digests.get(path)
    return former !== undefined && former !== read.digests.get(path) && !needsRestart(path)
  })
}

/** New certificates serve new connections at once. */
function isCertificate(path: string): boolean {
  return path === 'server.tls.certFile' || path === 'server.tls.keyFile'
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems.map((each) => formatProblem(each).trim())
  return [error instanceof Error ? error.message : 'unknown']
}
