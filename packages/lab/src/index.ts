export { freePort } from './free-port.ts'
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
export type { LabApi } from './open-id-provider/access/access-flavour.ts'
export { LAB_TOKEN_PATH } from './open-id-provider/access/answer-by-hand.ts'
export { AUTH0_NAMESPACE } from './open-id-provider/access/auth0-access.ts'
export { entraApiId } from './open-id-provider/access/entra-access.ts'
export type { RefreshTokenRules } from './open-id-provider/access/refresh-tokens.ts'
export type { LabAccessTokenWish } from './open-id-provider/access/token-endpoint-types.ts'
export { LAB_TOKEN_FAULTS, type LabTokenFault } from './open-id-provider/access/token-faults.ts'
export { TOKEN_PROBLEMS, type TokenProblemKind } from './open-id-provider/access/token-problem.ts'
export { LAB_FAULTS, type LabFault } from './open-id-provider/faults.ts'
export { LAB_FLAVOURS, type LabFlavourName } from './open-id-provider/flavours/index.ts'
export type { LabClient } from './open-id-provider/lab-client.ts'
export { createLabOpenIdProvider } from './open-id-provider/lab-open-id-provider.ts'
export type {
  LabAccessToken,
  LabOpenIdProvider,
  LabOpenIdProviderOptions,
} from './open-id-provider/lab-open-id-provider-types.ts'
export { LAB_TENANT, LAB_USERS, type LabUser } from './open-id-provider/lab-user.ts'
export {
  type ServedLabOpenIdProvider,
  serveLabOpenIdProvider,
} from './open-id-provider/serve-lab-open-id-provider.ts'
export type {
  LabResource,
  LabResourceOptions,
  LabResourceRequest,
} from './resource/lab-resource-types.ts'
export { serveLabResource } from './resource/serve-lab-resource.ts'
export { type SampleOptions, sampleResources } from './sample/sample-resources.ts'
export { ConnectionDropped, type LabTls } from './serve-on-loopback.ts'
export { LAB_ANSWER_FAULTS, type LabAnswerFault } from './token-server/answer-faults.ts'
export { LAB_STATE_PATH } from './token-server/answer-state.ts'
export { createLabTokenServer } from './token-server/lab-token-server.ts'
export type {
  LabConditions,
  LabScriptedAnswer,
  LabTokenRequest,
  LabTokenServer,
  LabTokenServerOptions,
} from './token-server/lab-token-server-types.ts'
export {
  type ServedLabTokenServer,
  type ServeLabTokenServerOptions,
  serveLabTokenServer,
} from './token-server/serve-lab-token-server.ts'
