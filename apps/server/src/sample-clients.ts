import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A client that comes with the sample data. */
export interface SampleClient {
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: string
  /** What it shows. */
  readonly purpose: string
}

const SAMPLES = [
  {
    clientId: 'sample-lab',
    scopes: 'system/Observation.rs?category=laboratory',
    purpose: 'laboratory results only',
  },
  {
    clientId: 'sample-lab-vitals',
    scopes: 'system/Observation.rs?category=laboratory system/Observation.rs?category=vital-signs',
    purpose: 'laboratory results and vital signs',
  },
  { clientId: 'sample-read-only', scopes: 'system/Observation.r', purpose: 'reads, no searches' },
  { clientId: 'sample-all', scopes: 'system/*.cruds', purpose: 'everything' },
] as const

export function sampleClientFile(dataDir: string): string {
  return join(dataDir, 'sample-clients.json')
}

export interface SampleState {
  readonly clients: readonly SampleClient[]
  /** Whether the sample data is in: a first start may be interrupted. */
  readonly isFilled: boolean
}

/** The sample clients of a data directory; `undefined` when it has none. */
export function readSampleClients(dataDir: string): SampleState | undefined {
  try {
    const { clients, isFilled } = JSON.parse(readFileSync(sampleClientFile(dataDir), 'utf8'))
    return { clients, isFilled }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(
      `${sampleClientFile(dataDir)} cannot be read: ${(error as Error).message}; remove it, and the sample clients are gone`,
    )
  }
}

/** The sample clients, each with a secret of its own. */
export function makeSampleClients(): readonly SampleClient[] {
  return SAMPLES.map((sample) => ({
    ...sample,
    clientSecret: `sgs_${randomBytes(32).toString('base64url')}`,
  }))
}

/** Keeps them (0600), whole or not at all. */
export function writeSampleClients(dataDir: string, { clients, isFilled }: SampleState): void {
  const file = sampleClientFile(dataDir)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const text = `${JSON.stringify({ clients, isFilled }, null, 2)}\n`
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
