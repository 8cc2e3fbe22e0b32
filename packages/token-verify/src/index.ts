export { algorithmFits, SIGNATURE_ALGORITHMS } from './algorithms.ts'
export type { AppOnlyRule } from './app-only.ts'
export type { DpopOptions } from './check-proof.ts'
export { type ClaimPlaces, claimAt } from './claim-places.ts'
export type { ClientAuthentication } from './client-authentication.ts'
export { createIntrospection, type IntrospectionOptions } from './create-introspection.ts'
export { createDiscovery, type Discovery, type DiscoveryOptions } from './discovery.ts'
export { createDpopNonces, type DpopNonces } from './dpop-nonces.ts'
export { type FetchedJson, type FetchLimits, fetchJson, postForm } from './fetch-json.ts'
export { genericIssuer, type Issuer, type OpaqueResolver, rfc9068Issuer } from './issuer.ts'
export {
  IntrospectionUnavailable,
  type KeySource,
  KeysUnavailable,
  type VerificationKey,
} from './key-source.ts'
export { keysFromDiscovery, keysFromFile, keysFromSet, keysFromUrl } from './key-sources.ts'
export type { MappedScopes, ScopeNames } from './map-scopes.ts'
export {
  bareHost,
  guardedLookup,
  isLoopbackHost,
  type NetworkPolicy,
  refuseUrl,
} from './network-policy.ts'
export { keysFor, type ParsedKeySet, parseKeySet } from './parse-key-set.ts'
export { ISSUER_PRESET_NAMES, ISSUER_PRESETS, type IssuerPresetName } from './presets/index.ts'
export type { IssuerPreset } from './presets/issuer-preset.ts'
export {
  findIssuerProblems,
  type IssuerProblem,
  type IssuerSettings,
  nameOfIssuer,
  type ResolveIssuerDeps,
  resolveIssuer,
} from './presets/resolve-issuer.ts'
export {
  createRemoteKeySet,
  type RemoteKeySet,
  type RemoteKeySetOptions,
} from './remote-key-set.ts'
export {
  type AuthenticatedRequest,
  createResourceServer,
  type PresentableRequest,
  type RefusedRequest,
  type ResourceServer,
  type ResourceServerOptions,
  type TrustedIssuer,
} from './resource-server/index.ts'
export { createTokenVerifier, type TokenVerifierOptions } from './token-verifier.ts'
export { createUsedProofs, type UsedProofs } from './used-proofs.ts'
