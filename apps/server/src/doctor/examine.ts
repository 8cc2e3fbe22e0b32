import type { DoctorReport } from '@scopegate/admin-api'
import { isLoopback } from '@scopegate/http'
import type { KeySetView } from '@scopegate/keys'
import type { Storage } from '@scopegate/storage'
import type { Config } from '../config.ts'
import { examineWithoutToken } from './connection/examine-without-token.ts'
import { examineCertificate } from './examine-certificate.ts'
import { examineFiles } from './examine-files.ts'
import { examineIssuer, issuerToExamine } from './examine-issuer.ts'
import { examineKeys } from './examine-keys.ts'
import { examinePort } from './examine-port.ts'
import { examineSecrets } from './examine-secrets.ts'
import { examineSettings } from './examine-settings.ts'
import { examineStorage } from './examine-storage.ts'
import { examineUpstream } from './examine-upstream.ts'
import { type Examination, type Finding, reasonOf, warn } from './finding.ts'
import { providerToExamine } from './provider-to-examine.ts'

export interface ExamineOptions {
  readonly config: Config
  /** Of a running server; missing: what the configuration names is attached to, if it runs. */
  readonly storage?: Storage
  /** What is looked at. `local`: nothing that asks other machines. Default `all`. */
  readonly what?: 'all' | 'local' | 'remote'
  /** Of one examination. */
  readonly timeoutMs?: number
  /** A running server has its port: it is not tried. */
  readonly isRunning?: boolean
  /** Keys that sign for others, of a running server. Default: those of the configuration. */
  readonly keySets?: () => Promise<readonly KeySetView[]>
  readonly nowMs: () => number
  /** Where HTTPS_PROXY and NO_PROXY are read. Default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Told when an examination begins, and with what it found. */
  readonly onProgress?: (subject: string, findings: readonly Finding[] | undefined) => void
}

const TIMEOUT_MS = 5000

/** Looks at everything at once; takes no longer than the slowest answer, and that is limited. */
export async function examine(options: ExamineOptions): Promise<DoctorReport> {
  const what = options.what ?? 'all'
  const chosen = examinations(options).filter(
    ({ isRemote }) => what === 'all' || isRemote === (what === 'remote'),
  )
  const found = await Promise.all(chosen.map((each) => run(each, options)))
  const findings = found.flat()
  return { outcome: worstOf(findings), findings }
}

function examinations(options: ExamineOptions): readonly Examination[] {
  const { config, storage, nowMs, environment = {} } = options
  const clock = { toleranceSeconds: config.settings.tokens.clockToleranceSeconds, nowMs }
  const certificate = examineCertificate(config, nowMs)
  const keys = examineKeys(config, nowMs, options.keySets)
  const isLocal = isLoopback(new URL(config.url).hostname)
  return [
    examineSettings(config),
    examineSecrets(config),
    examineFiles(config),
    ...(certificate === undefined ? [] : [certificate]),
    ...(keys === undefined ? [] : [keys]),
    ...(options.isRunning === true ? [] : [examinePort(config)]),
    examineStorage(config, storage),
    ...config.issuers.flatMap((issuer, index) =>
      issuer.keysFile === undefined
        ? [examineIssuer(issuerToExamine(issuer, index, isLocal), clock)]
        : [],
    ),
    ...config.providers.map((provider, index) =>
      examineIssuer(providerToExamine(provider, index, isLocal), clock),
    ),
    ...config.apis.map((api) => examineUpstream(api, nowMs)),
    ...config.connections.map((each) => examineWithoutToken(each, environment, nowMs)),
  ]
}

async function run(
  { subject, examine: look }: Examination,
  { timeoutMs = TIMEOUT_MS, onProgress }: ExamineOptions,
): Promise<readonly Finding[]> {
  onProgress?.(subject, undefined)
  const ended = new AbortController()
  const seconds = timeoutMs / 1000
  const late = new Promise<readonly ReturnType<typeof warn>[]>((resolve) => {
    setTimeout(() => {
      const fix = 'look why it is slow; what depends on it waits as long'
      resolve([{ ...warn('answer', `none within ${seconds} s`, fix), outcome: 'fail' }])
      ended.abort()
    }, timeoutMs).unref()
  })
  const made = look(ended.signal).catch((error) => [
    warn('examination', `could not be made: ${reasonOf(error)}`, 'look at it by hand'),
  ])
  const findings = (await Promise.race([made, late])).map((told) => ({ subject, ...told }))
  onProgress?.(subject, findings)
  return findings
}

function worstOf(findings: readonly Finding[]): DoctorReport['outcome'] {
  const outcomes = new Set(findings.map(({ outcome }) => outcome))
  return outcomes.has('fail') ? 'fail' : outcomes.has('warn') ? 'warn' : 'pass'
}
