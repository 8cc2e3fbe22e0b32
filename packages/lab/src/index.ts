export {
  createLabIssuer,
  type LabIssuer,
  type LabIssuerOptions,
  type LabTokenOptions,
  signed,
} from './issuer/lab-issuer.ts'
export {
  createLabKey,
  type LabAlgorithm,
  type LabKey,
  openLabKeys,
  publicJwk,
} from './issuer/lab-keys.ts'
export { LAB_FAULTS, type LabFault } from './open-id-provider/faults.ts'
export { LAB_FLAVOURS, type LabFlavourName } from './open-id-provider/flavours/index.ts'
export type { LabClient } from './open-id-provider/lab-client.ts'
export { createLabOpenIdProvider } from './open-id-provider/lab-open-id-provider.ts'
export type {
  LabOpenIdProvider,
  LabOpenIdProviderOptions,
} from './open-id-provider/lab-open-id-provider-types.ts'
export { LAB_TENANT, LAB_USERS, type LabUser } from './open-id-provider/lab-user.ts'
export {
  type ServedLabOpenIdProvider,
  serveLabOpenIdProvider,
} from './open-id-provider/serve-lab-open-id-provider.ts'
export { type SampleOptions, sampleResources } from './sample/sample-resources.ts'
