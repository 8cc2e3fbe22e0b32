export { createSessions, type SessionsDeps } from './create-sessions.ts'
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
