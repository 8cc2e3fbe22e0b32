export type { Fault, FaultForm } from './check-request.ts'
export { type ClientAddress, createClientAddress, forwardedForOf } from './client-address.ts'
export { type ClientCertificateSource, clientCertificateOf } from './client-certificate.ts'
export { correlationIdFrom, correlationIdOf, newCorrelationId } from './correlation-id.ts'
export { type CorsPolicy, corsHeaders, preflight } from './cors.ts'
export { type FormPair, type ParsedForm, parseForm } from './form.ts'
export type { Handler } from './handler.ts'
export { isLoopback, type ListenAddress, refuseListenAddress } from './listen-address.ts'
export {
  ensureLocalCertificate,
  type LocalCertificate,
  type LocalCertificateOptions,
} from './local-ca/local-certificate.ts'
export { normalizeName } from './local-ca/names.ts'
export { type TrustInstruction, trustInstructions } from './local-ca/trust-instructions.ts'
export { type AcceptedType, type MediaType, parseAccept, parseMediaType } from './media-type.ts'
export type { NodeRoute } from './node-routes.ts'
export {
  createNodeServer,
  type NodeServer,
  type NodeServerOptions,
} from './node-server.ts'
export { escapeHtml, type Problem, problemResponse } from './problem.ts'
export { type BodyProblem, type ReadBody, type ReadBodyOptions, readBody } from './read-body.ts'
export {
  inheritRequestFacts,
  type RequestFacts,
  requestFacts,
  targetAuthorityOf,
} from './request-facts.ts'
export { checkRequestTarget, pathProblem } from './request-target.ts'
export { createRouter, type Route } from './router.ts'
export { NO_STORE, PAGE_HEADERS, SECURITY_HEADERS } from './security-headers.ts'
export { type CountFailure, limitFailures, tooManyFailures } from './too-many-failures.ts'
