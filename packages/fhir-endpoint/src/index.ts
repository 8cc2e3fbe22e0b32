export { createFhirEndpoint, type FhirEndpoint } from './create-fhir-endpoint.ts'
export type { FhirEndpointDeps } from './deps.ts'
export {
  createPatientDirectory,
  type PatientDirectoryDeps,
} from './directory/create-patient-directory.ts'
export { DEFAULT_SETTINGS, type FhirEndpointSettings } from './settings.ts'
