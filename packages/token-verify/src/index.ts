export { algorithmFits, SIGNATURE_ALGORITHMS } from './algorithms.ts'
export type { DpopOptions } from './check-proof.ts'
export { createDpopNonces, type DpopNonces } from './dpop-nonces.ts'
export { type FetchedJson, type FetchLimits, fetchJson } from './fetch-json.ts'
export { genericIssuer, type Issuer, type OpaqueResolver, rfc9068Issuer } from './issuer.ts'
export { type KeySource, KeysUnavailable, type VerificationKey } from './key-source.ts'
export { keysFromDiscovery, keysFromFile, keysFromSet, keysFromUrl } from './key-sources.ts'
export { bareHost, isLoopbackHost, type NetworkPolicy, refuseUrl } from './network-policy.ts'
export { keysFor, type ParsedKeySet, parseKeySet } from './parse-key-set.ts'
export {
  createRemoteKeySet,
  type RemoteKeySet,
  type RemoteKeySetOptions,
} from './remote-key-set.ts'
export { createTokenVerifier, type TokenVerifierOptions } from './token-verifier.ts'
export { createUsedProofs, type UsedProofs } from './used-proofs.ts'
