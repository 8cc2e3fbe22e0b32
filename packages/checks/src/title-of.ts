import { findReason } from './catalogue.ts'
import { findTokenRequestReason } from './token-request-catalogue.ts'

/** What people call the reason `code`, of either catalogue; `undefined` when there is none. */
export function titleOf(code: string | undefined): string | undefined {
  return (findReason(code) ?? findTokenRequestReason(code))?.title
}
