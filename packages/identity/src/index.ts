export { ATTEMPT_LIMITS, type AttemptLimits } from './attempts/create-attempts.ts'
export {
  type BasicAuthenticationDeps,
  createBasicAuthentication,
} from './basic/create-basic-authentication.ts'
export { createSessions, type SessionsDeps } from './create-sessions.ts'
export { createUsers, type UsersDeps } from './create-users.ts'
export { deleteExpiredIdentity } from './delete-expired.ts'
export { FHIR_USER_SHAPE, isFhirUser } from './fhir-user.ts'
export { createPasskeys, type PasskeysDeps } from './passkeys/create-passkeys.ts'
export type { Passkey, Passkeys } from './passkeys/passkeys.ts'
export { type RelyingParty, relyingPartyOf } from './passkeys/relying-party.ts'
export { type Argon2Parameters, OWASP_PARAMETERS } from './passwords/argon2.ts'
export {
  type CheckedPassword,
  checkPassword,
  MAX_PASSWORD_CHARACTERS,
  MIN_PASSWORD_CHARACTERS,
  type PasswordContext,
} from './passwords/check-password.ts'
export {
  createPasswordHasher,
  type PasswordHasher,
  type PasswordHasherOptions,
} from './passwords/create-password-hasher.ts'
export type { NewSession, Session, UpstreamSession } from './session.ts'
export type { Sessions } from './sessions.ts'
export type { SignIn } from './sign-in.ts'
export type { NewUser, SecondFactor, User, UserAnswer, UserChanges } from './user.ts'
export type {
  FactorAttempt,
  PasswordChange,
  TotpSetup,
  UpstreamAnswer,
  UpstreamLogin,
  UserPage,
  UserQuery,
  Users,
} from './users.ts'
