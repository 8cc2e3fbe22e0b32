export type {
  AssertionProfile,
  Connection,
  ConnectionAuthentication,
  ConnectionGrant,
  ConnectionTransport,
} from './connection.ts'
export { CONNECTION_GRANTS } from './connection.ts'
export type { FetchedToken, TokenOutcome, TokenRequester, TokenTarget } from './token-request.ts'
