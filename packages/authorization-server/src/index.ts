export type { AdminCredential } from './admin-credential.ts'
export {
  type AuthorizationServer,
  type AuthorizationServerDeps,
  createAuthorizationServer,
  type SignInDeps,
  type SignInParts,
} from './authorization-server.ts'
export { type RegistrationProblem, RegistrationRefused } from './clients/check-registration.ts'
export type { ClientRegistry, DeclaredClient } from './clients/client-registry.ts'
export { generateSecret } from './clients/client-secret.ts'
export { scopeProblem } from './clients/registrable-scope.ts'
export type { Controller } from './controller.ts'
export type { EnginePages, ErrorFacts, UserCodeProblem } from './engine/pages.ts'
export { candidateScopes, narrow, withContext } from './grants/candidate-scopes.ts'
export { type Grants, type LaunchGrant, NothingGranted } from './grants/grants.ts'
export type { KeyRotation, SigningKeys, SigningKeyView } from './keys/signing-keys.ts'
export type { Launches, LaunchRedemption } from './launches/launches.ts'
export type { SmartConfiguration } from './metadata/smart-configuration.ts'
export type { RegistrationEvent } from './registration/create-registration.ts'
export type { ProtectedResource } from './resources.ts'
export { createRateLimiter, type RateLimiter } from './token/failure-limiter.ts'
export type { ScopeRemark } from './token/grant-scopes.ts'
export type { TokenIssued, TokenRefusal } from './token/token-refusal.ts'
