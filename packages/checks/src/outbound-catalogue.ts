import type { OutboundCheckName } from './check.ts'
import type { Reason } from './reason.ts'

/** One way a request to the forward sidecar can fail before its upstream is asked. */
export interface OutboundReason extends Omit<Reason, 'check' | 'status'> {
  readonly check: OutboundCheckName
  readonly status: 400 | 403 | 404 | 405
}

const CALLER = { audience: 'caller' } as const
const PLACE = { ...CALLER, check: 'place', status: 403, issue: 'security' } as const
const WHO = { ...CALLER, check: 'caller', status: 403, issue: 'forbidden' } as const
const ROUTE = { ...CALLER, check: 'route', status: 403, issue: 'forbidden' } as const

const AUTHENTICATE =
  'or have callers authenticate themselves: `sidecar.callersOnLoopback: authenticated`, or `sidecar.listen` with an address of its own'

/** Reasons of refusals at the forward sidecar: `/out/<connection>`. Nothing was sent upstream. */
export const OUTBOUND_CATALOGUE = {
  // ── place ────────────────────────────────────────────────────────────────────────────────────
  sidecar_not_loopback: {
    ...PLACE,
    title: 'Not from this machine',
    meaning:
      'The listener serves programs on its own machine, and the connection came from elsewhere.',
    callerText: 'this is for programs on the same machine only',
    fix: `call it from the machine that it runs on, ${AUTHENTICATE}`,
  },
  sidecar_forwarded: {
    ...PLACE,
    title: 'Came through a proxy',
    meaning:
      'A header says that a proxy passed the request on. On loopback every local program may use a connection, and behind a proxy that would be everybody whom the proxy serves.',
    callerText: 'the request came through a proxy (header {got})',
    fix: `call the sidecar directly, without a proxy in between, ${AUTHENTICATE}`,
  },
  sidecar_foreign_host: {
    ...PLACE,
    title: 'Called by another name',
    meaning:
      '`Host` is no name of loopback. That is how a page of another site looks that had its name point to this machine (DNS rebinding).',
    callerText: 'the request was meant for {got}, not for {expected}',
    fix: 'use the address {expected}',
  },
  sidecar_browser: {
    ...PLACE,
    title: 'From a browser',
    meaning:
      'A page in a browser caused the request (`Sec-Fetch-Site`, or an `Origin` that is not that of the sidecar). Pages that anybody opens could use the connections of this machine so.',
    callerText: 'pages in browsers may not use connections (header {got})',
    fix: 'call the sidecar from a program; for web apps, declare an API whose `forward.token` names the connection',
  },

  // ── caller ───────────────────────────────────────────────────────────────────────────────────
  connection_scope_missing: {
    ...WHO,
    title: 'Scope for connections missing',
    meaning: 'The token of the caller is good, and does not hold the scope for using connections.',
    callerText: 'the scope {expected} is needed; the token holds {got}',
    fix: 'register the client for {expected}, and ask for it together with `resource`',
  },
  connection_caller_unknown: {
    ...WHO,
    title: 'Caller not listed',
    meaning: 'The client of the caller is not among `callers` of the connection.',
    callerText: 'this client may not use the connection',
    fix: 'list {got} under `callers` of {expected}',
  },

  // ── route ────────────────────────────────────────────────────────────────────────────────────
  connection_unknown: {
    ...ROUTE,
    title: 'No such connection',
    meaning: 'No connection of that name has an `upstream`.',
    callerText: 'there is no connection {got} that leads anywhere',
    fix: 'correct the name after `/out/`, or give the connection an `upstream`',
    status: 404,
    issue: 'not-found',
  },
  connection_path_refused: {
    ...ROUTE,
    title: 'Path not allowed',
    meaning: 'None of `paths` of the connection fits the path.',
    callerText: 'this path may not be reached through the connection; allowed: {expected}',
    fix: 'correct the path, or add it to `paths` of the connection (now {expected})',
  },
  connection_method_refused: {
    ...ROUTE,
    title: 'Method not allowed',
    meaning:
      'The method is not among `methods` of the connection, or is one that could show the token to the caller (`TRACE`).',
    callerText: '{got} may not be sent through the connection; allowed: {expected}',
    fix: 'use one of {expected}, or add {got} to `methods` of the connection; TRACE never passes',
    status: 405,
    issue: 'not-supported',
  },
  credential_in_query: {
    ...ROUTE,
    title: 'Another credential in the query',
    meaning:
      'The query holds `access_token`. The upstream would get two tokens, and which one it takes is its own choice.',
    callerText: 'the query holds an access token; the connection brings its own',
    fix: 'leave `access_token` out of the query',
    status: 400,
    issue: 'invalid',
  },
} as const satisfies Record<string, OutboundReason>

export type OutboundReasonCode = keyof typeof OUTBOUND_CATALOGUE

/** The row of `code`; `undefined` when there is none. Inherited names are never found. */
export function findOutboundReason(code: string | undefined): OutboundReason | undefined {
  return code !== undefined && Object.hasOwn(OUTBOUND_CATALOGUE, code)
    ? OUTBOUND_CATALOGUE[code as OutboundReasonCode]
    : undefined
}
