import { randomUUID } from 'node:crypto'
import { createPatientDirectory } from '@scopegate/fhir-endpoint'
import { createFhirRepository, type FhirRepository } from '@scopegate/fhir-repository'
import type { PatientDirectory } from '@scopegate/oauth-model'
import { type AccessPolicy, DEFAULT_POLICY, DEFAULT_SHARED_TYPES } from '@scopegate/smart-scopes'
import type { Storage } from '@scopegate/storage'
import type { Config } from '../config.ts'
import type { Logger } from '../operations/logger.ts'
import type { Addresses } from './addresses.ts'
import type { Audits } from './audits.ts'
import type { Keys } from './keys.ts'

/** The resources, and who may see which of them. */
export interface FhirData {
  readonly repository: FhirRepository
  readonly policy: AccessPolicy
  readonly cursorKey: Uint8Array
  /** For the pages of a launch, under the same policy. */
  readonly directory: PatientDirectory
}

export function wireFhirData(deps: {
  readonly config: Config
  readonly addresses: Addresses
  readonly storage: Storage
  readonly keys: Keys
  readonly audits: Audits
  readonly log: Logger
  readonly nowMs: () => number
}): FhirData {
  const { config, addresses, storage, keys, audits, log, nowMs } = deps
  const { fhirUrl } = addresses
  const cursorKey = keys.derive('page links')
  const policy = accessPolicyOf(config, fhirUrl)
  const repository = createFhirRepository({
    storage,
    now: nowMs,
    newId: randomUUID,
    baseUrl: fhirUrl,
    limits: { answerMs: config.settings.limits.answerSeconds * 1000 },
    onMismatch: (mismatch) => log.warn(mismatch, 'index and resource disagree'),
  })
  const directory = createPatientDirectory({
    ...{ policy, cursorKey },
    baseUrl: fhirUrl,
    backend: repository,
    issuer: config.url,
    audit: audits.accessAudit,
    now: nowMs,
  })
  return { repository, policy, cursorKey, directory }
}

/** Who may see which resources, as the configuration says. */
export function accessPolicyOf({ settings }: Config, fhirUrl: string): AccessPolicy {
  const { r4 } = settings.fhir
  return {
    ...DEFAULT_POLICY,
    compartment: r4.compartment,
    userPolicy: r4.userPolicy,
    sharedTypes: { ...DEFAULT_SHARED_TYPES, ...r4.sharedTypes },
    baseUrls: [fhirUrl],
  }
}
