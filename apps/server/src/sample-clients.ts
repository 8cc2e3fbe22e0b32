import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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

/** The sample clients of a data directory; `undefined` when it has none. */
export function readSampleClients(dataDir: string): readonly SampleClient[] | undefined {
  try {
    return JSON.parse(readFileSync(sampleClientFile(dataDir), 'utf8')).clients
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(
      `${sampleClientFile(dataDir)} cannot be read: ${(error as Error).message}; remove it, and the sample clients are gone`,
    )
  }
}

/** Makes the sample clients, each with a secret of its own, and keeps them (0600). */
export function makeSampleClients(dataDir: string): readonly SampleClient[] {
  const clients = SAMPLES.map((sample) => ({
    ...sample,
    clientSecret: `sgs_${randomBytes(32).toString('base64url')}`,
  }))
  const file = sampleClientFile(dataDir)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, `${JSON.stringify({ clients }, null, 2)}\n`, { mode: 0o600 })
  return clients
}
