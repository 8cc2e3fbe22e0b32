export {
  type AuthenticatedRequest,
  createResourceServer,
  type ResourceServer,
  type ResourceServerOptions,
} from './create-resource-server.ts'
export type { PresentableRequest } from './presented-request.ts'
export type { RefusedRequest } from './refused-request.ts'
export type { TrustedIssuer } from './trusted-issuer.ts'
