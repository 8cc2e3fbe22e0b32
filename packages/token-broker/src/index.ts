export type {
  AssertionProfile,
  BearerAssertion,
  Connection,
  ConnectionAuthentication,
  ConnectionGrant,
  ConnectionTransport,
  ScopePolicy,
  SecretMethod,
  TokenExchangeInput,
} from './connection.ts'
export { ASSERTION_HEADERS, CONNECTION_GRANTS, SCOPE_POLICIES } from './connection.ts'
export type {
  DpopKey,
  FetchedToken,
  TokenOutcome,
  TokenRequester,
  TokenTarget,
} from './token-request.ts'
