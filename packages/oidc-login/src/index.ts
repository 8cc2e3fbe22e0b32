export type {
  ClaimMapping,
  ClaimSource,
  RoleMapping,
  UpstreamClaims,
} from './claim-mapping.ts'
export { type LoginReason, LoginRefused } from './login-refused.ts'
export { LOGIN_STATE_SECONDS } from './login-state.ts'
export { type EndedSession, type LogoutTokenReason, LogoutTokenRefused } from './logout-token.ts'
export { type EmailPolicy, type MappedClaims, mapClaims } from './map-claims.ts'
export { PRESETS, type PresetName } from './presets/index.ts'
export type { ProviderPreset } from './presets/preset.ts'
export type { Fetch as ProviderFetch } from './provider-fetch.ts'
export { isOwnPath } from './return-to.ts'
export { createSharedUseOnce } from './shared-use-once.ts'
export type {
  BeginOptions,
  BegunLogin,
  CompletedLogin,
  ProviderTokens,
  UpstreamLogins,
  UpstreamLoginsDeps,
} from './upstream-login-types.ts'
export { createUpstreamLogins } from './upstream-logins.ts'
export {
  findProviderProblems,
  type ProviderProblem,
  type UpstreamAuthentication,
  type UpstreamProvider,
  UpstreamProviderError,
  type WrittenProvider,
} from './upstream-provider.ts'
export { createUsedOnce, type UseOnce } from './used-once.ts'
