import type { ApiCheckName } from './check.ts'
import type { Reason } from './reason.ts'

/** One way a request to an ordinary API can fail, beside what may be wrong with its token. */
export interface ApiReason extends Omit<Reason, 'check' | 'status'> {
  readonly check: ApiCheckName
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 429 | 502 | 503 | 504
}

const CALLER = { audience: 'caller' } as const
const SESSION = { ...CALLER, check: 'session', status: 401, issue: 'login' } as const
const ROUTE = { ...CALLER, check: 'route' } as const
const UPSTREAM = { ...CALLER, check: 'upstream', issue: 'transient' } as const

/** Reasons of refusals at ordinary APIs and web apps. */
export const API_CATALOGUE = {
  // ── session ──────────────────────────────────────────────────────────────────────────────────
  session_missing: {
    ...SESSION,
    title: 'Not signed in',
    meaning:
      'The browser holds no session here, or one that has ended. Pages are sent to sign in; requests of scripts are answered 401, since they cannot follow.',
    callerText: 'you are not signed in, or your session has ended',
    fix: 'load the page again to sign in',
  },
  session_cross_site: {
    ...SESSION,
    title: 'Request of another site',
    meaning:
      'A page of another site caused a request that could change something, with the cookie of a session.',
    callerText: 'the request did not come from the pages of this app',
    fix: 'send it from a page of the app itself, or use an access token instead of the session',
    status: 403,
    issue: 'forbidden',
  },

  caller_lookup_failed: {
    ...CALLER,
    check: 'session',
    title: 'Database not available',
    meaning:
      'The server could not use its database, so it is not known who calls. The credentials are not at fault; nothing was sent to the upstream.',
    callerText: 'the server cannot find out at the moment who calls',
    fix: 'try again; the log of the server says what is wrong with the database',
    status: 503,
    issue: 'transient',
  },

  // ── route ────────────────────────────────────────────────────────────────────────────────────
  route_absent: {
    ...ROUTE,
    title: 'No route',
    meaning: 'No route of the API fits the path. What is not declared is not passed on.',
    callerText: 'there is nothing at this address',
    fix: 'correct the path, or declare it under `routes` of the API in the configuration',
    status: 404,
    issue: 'not-found',
  },
  method_not_declared: {
    ...ROUTE,
    title: 'Method not declared',
    meaning: 'Routes fit the path, but none of them the method.',
    callerText: '{got} is not possible here; possible: {expected}',
    fix: 'use one of {expected}, or add {got} to `methods` of the route',
    status: 405,
    issue: 'not-supported',
  },
  request_too_large: {
    ...ROUTE,
    title: 'Request too large',
    meaning: 'The body is larger than `maxBodyBytes` of the API.',
    callerText: 'the body is too large: at most {expected}',
    fix: 'send less, or raise `maxBodyBytes` of the API (now {expected})',
    status: 413,
    issue: 'too-costly',
  },

  request_too_slow: {
    ...ROUTE,
    title: 'Request too slow',
    meaning:
      'As many bodies as may be on their way to the upstream at once were, others waited for a place, and this one came more slowly than `minBodyBytesPerSecond` of the API for 10 s. It was given up.',
    callerText: 'the body came too slowly: at least {expected} are needed while others wait',
    fix: 'send it again, at {expected} or more; if such callers are to be served, raise `connections` of the API or lower `minBodyBytesPerSecond`',
    status: 408,
    issue: 'transient',
  },

  // ── scopes, roles ────────────────────────────────────────────────────────────────────────────
  api_scope_missing: {
    ...CALLER,
    check: 'scopes',
    title: 'Scope missing',
    meaning:
      'The route, or the API as a whole (`requiredScopes`), needs scopes that the token does not hold.',
    callerText: 'the scope {expected} is needed; the token holds {got}',
    fix: 'ask for {expected} at the token endpoint, and register the client for it',
    status: 403,
    oauthError: 'insufficient_scope',
    issue: 'forbidden',
  },
  role_missing: {
    ...CALLER,
    check: 'roles',
    title: 'Role missing',
    meaning: 'The route needs one of some roles, and the user has none of them.',
    callerText: 'one of these roles is needed: {expected}',
    fix: 'give the user one of {expected} (it has: {got}), or look at `auth.roles` of the API: from which claim roles are taken, and with which prefix',
    status: 403,
    issue: 'forbidden',
  },

  // ── upstream ─────────────────────────────────────────────────────────────────────────────────
  upstream_unreachable: {
    ...UPSTREAM,
    title: 'Upstream cannot be reached',
    meaning: 'No connection to the API behind the gateway could be made.',
    callerText: 'the service behind this address cannot be reached',
    fix: 'see that {expected} runs and can be reached from here ({got})',
    status: 502,
  },
  upstream_broken: {
    ...UPSTREAM,
    title: 'Upstream broke off',
    meaning:
      'The API behind the gateway closed the connection, or answered with something else than HTTP.',
    callerText: 'the service behind this address gave no usable answer',
    fix: 'see the log of {expected} ({got})',
    status: 502,
  },
  upstream_timeout: {
    ...UPSTREAM,
    title: 'Upstream too slow',
    meaning: 'The API behind the gateway did not answer in time.',
    callerText: 'the service behind this address did not answer in time',
    fix: 'see why {expected} is slow ({got}), or raise `timeoutSeconds` of the API',
    status: 504,
  },
  upstream_paused: {
    ...UPSTREAM,
    title: 'Upstream left alone',
    meaning: 'Several requests in a row failed at the upstream, so it is left alone for a moment.',
    callerText: 'the service behind this address is not available at the moment',
    fix: 'see why {expected} fails; it is tried again in {got}',
    status: 503,
  },
  upstream_busy: {
    ...UPSTREAM,
    title: 'Too many wait for the upstream',
    meaning:
      'All connections to the upstream are in use and the queue is full, or as many callers as may wait are still sending their bodies.',
    callerText: 'the service behind this address is busy',
    fix: 'see why {expected} is slow, or raise `connections` of the API',
    status: 503,
  },
  upstream_token_missing: {
    ...UPSTREAM,
    title: 'No token for the upstream',
    meaning:
      'The upstream wants a token of a connection, and there is none. Nothing was sent to it.',
    callerText: 'this service cannot authenticate itself at the service behind it',
    fix: 'see why {expected} has no token ({got}): `scopegate connection`, `scopegate doctor connection`',
    status: 502,
  },
  upstream_token_delayed: {
    ...UPSTREAM,
    title: 'No token for the upstream yet',
    meaning:
      'The upstream wants a token of a connection, and there is none for the moment: it is asked for again soon. Nothing was sent to the upstream.',
    callerText: 'this service cannot authenticate itself at the service behind it at the moment',
    fix: 'wait; see why {expected} has no token ({got}): `scopegate connection`',
    status: 503,
  },
  upstream_token_rejected: {
    ...UPSTREAM,
    title: 'Upstream refuses our token',
    meaning:
      'The upstream answered 401 to the token of a connection, and to the one that replaced it, if it could be tried. The credentials of the caller are not at fault.',
    callerText: 'the service behind this address refuses the credentials of this service',
    fix: 'see what the upstream wants of the token of {expected} ({got}): `scopegate doctor connection`',
    status: 502,
  },
  upstream_forbids: {
    ...UPSTREAM,
    title: 'Upstream does not permit it',
    meaning:
      'The upstream answered 403: the token of the connection is good and does not allow this.',
    callerText: 'the service behind this address does not permit this to the connection',
    fix: 'have the permission granted to {expected} ({got})',
    status: 403,
    issue: 'forbidden',
  },
} as const satisfies Record<string, ApiReason>

export type ApiReasonCode = keyof typeof API_CATALOGUE

/** The row of `code`; `undefined` when there is none. Inherited names are never found. */
export function findApiReason(code: string | undefined): ApiReason | undefined {
  return code !== undefined && Object.hasOwn(API_CATALOGUE, code)
    ? API_CATALOGUE[code as ApiReasonCode]
    : undefined
}
