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
export { type SampleOptions, sampleResources } from './sample/sample-resources.ts'
