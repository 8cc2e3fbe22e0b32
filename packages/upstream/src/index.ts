export { callerGone } from './caller-gone.ts'
export {
  type ConnectionTokenOptions,
  createTokenMemory,
  type Rejection,
  type RequestToken,
  requestToken,
  type TokenMemory,
  unavailability,
} from './connection-token.ts'
export { endAt } from './end-at.ts'
export {
  type Answer,
  type Forwarding,
  forward,
  type Reconsidered,
} from './forward.ts'
export type { ForwardEnd, ForwardTiming } from './forward-end.ts'
export { UPSTREAM_LIMITS, type UpstreamLimits } from './limits.ts'
export { createOpenTunnels, type JoinedTunnel, type OpenTunnels } from './open-tunnels.ts'
export { isOwnCookie, setsOwnCookie, withoutOwnCookies } from './own-cookies.ts'
export {
  copyRequestHeaders,
  createHeaderPolicy,
  type HeaderPolicy,
  REFLECTING_METHODS,
} from './request-headers.ts'
export {
  type AnswerHeaders,
  type AnswerPolicy,
  copyAnswerHeaders,
  publicAddress,
} from './response-headers.ts'
export { answerSocket, type SocketAnswer, switchProtocols } from './socket-answer.ts'
export { openTunnel, type TunnelAnswer } from './tunnel.ts'
export {
  createUpstream,
  type NotNow,
  notNow,
  type Upstream,
  type UpstreamOptions,
  type UpstreamTransport,
} from './upstream.ts'
export { failureOf, type UpstreamFailure } from './upstream-failure.ts'
