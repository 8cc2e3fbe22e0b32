export { createKeySigner, type KeySignerOptions, keyThumbprint } from './create-key-signer.ts'
export {
  judgeSigning,
  type SigningFacts,
  type SigningRefusal,
  type SigningVerdict,
  type SigningWish,
} from './grants/judge-signing.ts'
export {
  type ClaimTemplate,
  findGrantProblems,
  type GrantHolder,
  type GrantProblem,
  HEADER_MEMBERS,
  type HeaderMember,
  MAX_SIGNED_SECONDS,
  type SigningGrant,
} from './grants/signing-grant.ts'
export { type KeySigner, SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './key-signer.ts'
export { readCertificates } from './material/certificate-chain.ts'
export { type KeyCertificate, type KeyMaterial, KeyMaterialError } from './material/key-material.ts'
export { EXPIRY_WARNING_DAYS, findKeyWarnings, type KeyWarning } from './material/key-warnings.ts'
export { type KeyMaterialInput, readKeyMaterial } from './material/read-key-material.ts'
export { createKeySetHandler, jwksPath } from './publish-key-sets.ts'
export { signJws } from './sign-jws.ts'
export type { RequestNames } from './store/certificate-request.ts'
export type { NewKeySet, RotateOptions } from './store/change-key-sets.ts'
export { PUBLISH_BEFORE_USE_SECONDS } from './store/change-key-sets.ts'
export { createSignKeys, type SignKeys, SignKeyUnavailable } from './store/create-sign-keys.ts'
export { DeclaredKeyConflict, type DeclaredKeySet } from './store/declare-key-sets.ts'
export {
  GENERATED_KINDS,
  type GeneratedKind,
  KEY_SET_NAME,
  type KeyAnswer,
  type KeySetView,
  type KeyState,
  type KeyView,
  type PublicJwk,
  WHEN_EXPIRED,
  type WhenExpired,
} from './store/key-set.ts'
export type { SignAnswer, SignatureRecord, SigningCaller } from './store/sign-for.ts'
export type { CallerLimit, SignKeysDeps } from './store/sign-keys-deps.ts'
