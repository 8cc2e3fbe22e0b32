import { API_CATALOGUE, type ApiReason } from './api-catalogue.ts'
import { CATALOGUE } from './catalogue.ts'
import {
  API_CHECKS,
  LOGIN_CHECKS,
  OUTBOUND_CHECKS,
  PASSWORD_CHECK_ORDER,
  TOKEN_REQUEST_CHECKS,
} from './check.ts'
import { fillTemplate } from './fill-template.ts'
import { LOGIN_CATALOGUE, type LoginReasonRow } from './login-catalogue.ts'
import { OUTBOUND_CATALOGUE, type OutboundReason } from './outbound-catalogue.ts'
import type { Reason } from './reason.ts'
import { findCauses } from './reason-causes.ts'
import { TOKEN_REQUEST_CATALOGUE, type TokenRequestReason } from './token-request-catalogue.ts'

/** The catalogues as the text of docs/errors.md; changes exactly when they do. */
export function renderCatalogueMarkdown(): string {
  const lines = [
    '# Reasons for a refusal',
    '',
    'Made from `packages/checks/src/catalogue.ts`. Checks are made in this order; after the first that fails, the rest is skipped.',
    '`scopegate explain` prints them all. Reasons marked *operator* are about data outside the scopes: the caller gets 404, as if there were nothing.',
    'The last chapters are about requests for tokens and about sign-in at other providers, which have checks of their own.',
    ...chapter(PASSWORD_CHECK_ORDER, Object.entries<Reason>(CATALOGUE), '##', section),
    '',
    '## Ordinary APIs',
    '',
    'Beside what may be wrong with a token: requests to the APIs and web apps of `apis`, in the order of their checks.',
    ...chapter(API_CHECKS, Object.entries<ApiReason>(API_CATALOGUE), '###', section),
    '',
    '## Forward sidecar',
    '',
    'Requests to `/out/<connection>`: where they come from, who calls, where they go. Nothing was sent to the upstream. What can go wrong with the upstream and',
    'its token is in the chapter before.',
    ...chapter(OUTBOUND_CHECKS, Object.entries<OutboundReason>(OUTBOUND_CATALOGUE), '###', section),
    '',
    '## Token requests',
    '',
    'Found by correlation id, client and outcome: `scopegate traces`, `scopegate explain --id`. For reasons marked *operator* the caller reads one and the same',
    'text, so that who guesses does not learn which clients there are. A scope that cannot be granted is left out and listed in `omitted_scopes` of the answer,',
    'under the same codes; the request is refused only if nothing is left, or for a scope of a user.',
    ...chapter(
      TOKEN_REQUEST_CHECKS,
      Object.entries<TokenRequestReason>(TOKEN_REQUEST_CATALOGUE),
      '###',
      tokenRequestSection,
    ),
    '',
    '## Sign-in elsewhere',
    '',
    'What can fail when people sign in at another OpenID Provider. The page says only that it did not work, with the id for `scopegate explain --id`.',
    ...chapter(LOGIN_CHECKS, Object.entries<LoginReasonRow>(LOGIN_CATALOGUE), '###', loginSection),
  ]
  return `${lines.join('\n')}\n`
}

function chapter<Row extends { readonly check: string }>(
  order: readonly string[],
  rows: readonly (readonly [code: string, row: Row])[],
  level: string,
  show: (code: string, row: Row) => readonly string[],
): string[] {
  return order.flatMap((name) => {
    const mine = rows.filter(([, { check }]) => check === name)
    if (mine.length === 0) return []
    return [
      '',
      `${level} ${name}`,
      ...mine.flatMap(([code, row]) => ['', `${level}# ${code}`, '', ...show(code, row)]),
    ]
  })
}

function section(code: string, reason: Reason | ApiReason | OutboundReason): string[] {
  const named = { expected: '*expected*', got: '*got*' }
  const answer = [
    String(reason.status),
    reason.oauthError && `\`${reason.oauthError}\``,
    `issue \`${reason.issue}\``,
    reason.audience === 'operator' && '*operator*',
  ].filter((part) => typeof part === 'string')
  return [
    `${reason.title} · ${answer.join(' · ')}`,
    '',
    fillTemplate(reason.meaning, named),
    '',
    ...(reason.audience === 'caller'
      ? [`- Caller reads: ${fillTemplate(reason.callerText, named)}`]
      : []),
    `- To do: ${fillTemplate(reason.fix, named)}`,
    ...likely(code),
  ]
}

/** The settings that decide it, and what it comes of at issuers of each kind. */
function likely(code: string): string[] {
  const { settings, causes } = findCauses(code)
  return [
    ...(settings.length === 0
      ? []
      : [`- Settings: ${settings.map((setting) => `\`${setting}\``).join(', ')}`]),
    ...causes.map(
      ({ issuers, cause, fix }) =>
        `- ${issuers.map((issuer) => `\`${issuer}\``).join(', ')}: ${cause}. ${fix[0]!.toUpperCase()}${fix.slice(1)}.`,
    ),
  ]
}

function tokenRequestSection(_code: string, reason: TokenRequestReason): string[] {
  const answer = [
    reason.status === undefined ? 'answered all the same' : String(reason.status),
    reason.error && `\`${reason.error}\``,
    reason.audience === 'operator' && '*operator*',
  ].filter((part) => typeof part === 'string')
  return [
    `${reason.title} · ${answer.join(' · ')}`,
    '',
    reason.meaning,
    '',
    `- To do: ${reason.fix}`,
  ]
}

function loginSection(_code: string, { title, status, fix }: LoginReasonRow): string[] {
  return [`${title} · ${status}`, '', `- To do: ${fix}`]
}
