import { findApiReason } from './api-catalogue.ts'
import { findReason } from './catalogue.ts'
import { findLoginReason } from './login-catalogue.ts'
import { findOutboundReason } from './outbound-catalogue.ts'
import { findTokenRequestReason } from './token-request-catalogue.ts'

/** What people call the reason `code`, of any catalogue; `undefined` when there is none. */
export function titleOf(code: string | undefined): string | undefined {
  return (
    findReason(code) ??
    findTokenRequestReason(code) ??
    findLoginReason(code) ??
    findApiReason(code) ??
    findOutboundReason(code)
  )?.title
}
