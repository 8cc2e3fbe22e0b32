import type { Config } from '../config.ts'
import type { Logger } from '../operations/logger.ts'
import { examine } from './examine.ts'
import type { Finding } from './finding.ts'

/** What a server cannot live with; everything else is told, and the server starts. */
const FATAL: ReadonlySet<string> = new Set([
  'own certificate certificate',
  'own certificate name',
  'port listen',
  'files data directory',
  'files disk',
  'files master key',
])

/** A start that would fail, or would serve nobody. */
export class UnfitToStart extends Error {
  readonly findings: readonly Finding[]

  constructor(findings: readonly Finding[]) {
    const lines = findings.map(({ subject, check, found, fix }) =>
      [`${subject}, ${check}: ${found}`, ...(fix ? [`  fix: ${fix}`] : [])].join('\n'),
    )
    super(`the server cannot start\n${lines.join('\n')}`)
    this.name = 'UnfitToStart'
    this.findings = findings
  }
}

/**
 * Looks at what is on this machine before anything is opened; milliseconds.
 * @throws {UnfitToStart} naming every fatal problem; others are logged with their fix
 */
export async function examineAtStart(config: Config, log: Logger): Promise<void> {
  const { findings } = await examine({ config, what: 'local', nowMs: Date.now, timeoutMs: 2000 })
  const fatal = findings.filter(
    ({ outcome, subject, check }) => outcome === 'fail' && FATAL.has(`${subject} ${check}`),
  )
  if (fatal.length > 0) throw new UnfitToStart(fatal)
  logFindings(findings, log)
}

/** Looks at what is elsewhere, beside the running server: nothing waits for it. */
export function examineInBackground(config: Config, log: Logger): void {
  examine({ config, what: 'remote', isRunning: true, nowMs: Date.now })
    .then(({ findings }) => logFindings(findings, log))
    .catch((error) => log.warn({ error }, 'the examination at start failed'))
}

function logFindings(findings: readonly Finding[], log: Logger): void {
  for (const { outcome, subject, check, found, fix } of findings) {
    if (outcome !== 'pass') log.warn({ subject, check, found, fix }, 'doctor')
  }
}
