export type { AccountEvent } from './account/create-account.ts'
export type { AdminCredential } from './admin-credential.ts'
export {
  type AuthorizationServer,
  type AuthorizationServerDeps,
  createAuthorizationServer,
  type SignInDeps,
  type SignInParts,
} from './authorization-server.ts'
export {
  checkRegistration,
  type RegistrationProblem,
  RegistrationRefused,
} from './clients/check-registration.ts'
export type { ClientRegistry, DeclaredClient } from './clients/client-registry.ts'
export { generateSecret } from './clients/client-secret.ts'
export type { OwnWebApp } from './clients/own-web-apps.ts'
export { scopeProblem } from './clients/registrable-scope.ts'
export type { Controller } from './controller.ts'
export type { EnginePages, ErrorFacts, UserCodeProblem } from './engine/pages.ts'
export { candidateScopes, narrow, withContext } from './grants/candidate-scopes.ts'
export { type Grants, type LaunchGrant, NothingGranted } from './grants/grants.ts'
export type { InteractionEvent } from './interaction/create-interaction.ts'
export { createUserPages, type UserPagesDeps } from './interaction/create-user-pages.ts'
export { upstreamCallbackPath } from './interaction/upstream-callback.ts'
export type { KeyRotation, SigningKeys, SigningKeyView } from './keys/signing-keys.ts'
export type { Launches, LaunchRedemption } from './launches/launches.ts'
export type { SmartConfiguration } from './metadata/smart-configuration.ts'
export { createPages, type Pages, type PagesOptions } from './pages/create-pages.ts'
export { createEnginePages } from './pages/engine-pages.ts'
export type { TextOverrides } from './pages/texts/words.ts'
export type { Theme } from './pages/theme.ts'
export type { RegistrationEvent } from './registration/create-registration.ts'
export type { ApiScope, ProtectedResource } from './resources.ts'
export type { TokenRevoked } from './revocation/revoke-token.ts'
export { createRateLimiter, type RateLimiter } from './token/failure-limiter.ts'
export type { ScopeRemark } from './token/grant-scopes.ts'
export type { TokenIssued, TokenRefusal } from './token/token-refusal.ts'
