export type { ApiReason, ApiReasonCode } from './api-catalogue.ts'
export { API_CATALOGUE, findApiReason } from './api-catalogue.ts'
export type { CallerDetail, CallerView } from './caller-view.ts'
export { CALLER_DETAILS, callerView } from './caller-view.ts'
export type { ReasonCode } from './catalogue.ts'
export { CATALOGUE, findReason } from './catalogue.ts'
export type {
  AnyCheck,
  ApiCheck,
  ApiCheckName,
  Check,
  CheckName,
  CheckOutcome,
  LoginCheck,
  LoginCheckName,
  OutboundCheck,
  OutboundCheckName,
  TokenRequestCheck,
  TokenRequestCheckName,
} from './check.ts'
export {
  API_CHECKS,
  CHECK_ORDER,
  LOGIN_CHECKS,
  OUTBOUND_CHECKS,
  PASSWORD_CHECK_ORDER,
  TOKEN_REQUEST_CHECKS,
} from './check.ts'
export type { CheckDetail, CheckList } from './check-list.ts'
export {
  completeAnyChecks,
  completeApiChecks,
  completeChecks,
  completeOutboundChecks,
  createCheckList,
  failed,
  failedApi,
  failedOutbound,
  failedTokenRequest,
  findFailure,
  passed,
} from './check-list.ts'
export { didYouMean } from './did-you-mean.ts'
export {
  findLoginReason,
  LOGIN_CATALOGUE,
  type LoginReasonCode,
  type LoginReasonRow,
} from './login-catalogue.ts'
export type { OperationOutcome, OutcomeIssue } from './operation-outcome.ts'
export { operationOutcome, REASON_SYSTEM } from './operation-outcome.ts'
export type { OutboundReason, OutboundReasonCode } from './outbound-catalogue.ts'
export { findOutboundReason, OUTBOUND_CATALOGUE } from './outbound-catalogue.ts'
export { findProviderError } from './provider-errors/find-provider-error.ts'
export type {
  ProviderError,
  ProviderErrorRefinement,
  ProviderErrorRow,
  ProviderMatch,
} from './provider-errors/provider-error.ts'
export type { ProviderErrorCode } from './provider-errors/provider-errors.ts'
export { PROVIDER_ERROR_CHAPTERS, PROVIDER_ERRORS } from './provider-errors/provider-errors.ts'
export type {
  ProviderErrorKind,
  ProviderFinding,
  ProviderName,
  ProviderSignal,
  ProviderStage,
  SecretFacts,
  TokenFacts,
} from './provider-errors/provider-signal.ts'
export {
  BROKER_FINDINGS,
  PROVIDER_FINDINGS,
  PROVIDER_NAMES,
} from './provider-errors/provider-signal.ts'
export {
  type BearerChallenge,
  readBearerChallenge,
} from './provider-errors/read-bearer-challenge.ts'
export { renderProviderErrorsMarkdown } from './provider-errors/render-provider-errors.ts'
export { secretFacts } from './provider-errors/secret-facts.ts'
export { readTokenClaims, type TokenClaims, tokenFactsOf } from './provider-errors/token-facts.ts'
export type { BearerError, IssueType, Reason } from './reason.ts'
export {
  CAUSE_ISSUERS,
  type CauseIssuer,
  findCauses,
  guessIssuerKind,
  type LikelyCause,
  REASON_CAUSES,
} from './reason-causes.ts'
export { isSecretName, REDACTED, redact, redactText } from './redact.ts'
export type { ClaimRule } from './redact-claims.ts'
export { CLAIM_RULES, redactClaims } from './redact-claims.ts'
export { renderCatalogueMarkdown } from './render-catalogue-markdown.ts'
export { renderText } from './render-text.ts'
export { titleOf } from './title-of.ts'
export type { TokenRequestReason, TokenRequestReasonCode } from './token-request-catalogue.ts'
export { findTokenRequestReason, TOKEN_REQUEST_CATALOGUE } from './token-request-catalogue.ts'
export type { TokenRequestView, TokenRequestViewOptions } from './token-request-view.ts'
export { tokenRequestView } from './token-request-view.ts'
export type { ChallengeOptions } from './www-authenticate.ts'
export { wwwAuthenticate } from './www-authenticate.ts'
