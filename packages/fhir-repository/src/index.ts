export type { IndexReport, ReindexStep } from './check-indexes.ts'
export {
  createFhirRepository,
  type FhirRepository,
  type FhirRepositoryDeps,
} from './create-fhir-repository.ts'
export type { ImportedLine, ImportOptions } from './import-batch.ts'
export type { Mismatch, RepositoryLimits } from './request.ts'
