import { STATUS_CODES } from 'node:http'
import { type AnyCheck, type CallerDetail, callerView, findFailure } from '@scopegate/checks'
import { NO_STORE, SECURITY_HEADERS } from '@scopegate/http'
import type { ApiCall, Refusal } from './call.ts'
import { challengesOf } from './challenge.ts'
import { corsHeadersOf } from './cors.ts'
import { loginPaths } from './login/login-paths.ts'

/** A refusal as it is sent. */
export interface RefusalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string
}

/**
 * What the caller reads: `application/problem+json` with the code, what to do, the scopes needed,
 * and the id under which the operator finds all checks; with `callers: minimal` the code and the id
 * alone.
 *
 * @see RFC 9457; RFC 6750 §3
 */
export function answerRefusal(
  call: ApiCall,
  refusal: Refusal,
  dpopAlgorithms: readonly string[] | undefined,
  callers: CallerDetail = 'standard',
): RefusalAnswer {
  const checks = refusal.checks
  const view = callerView(checks, callers)
  const isMinimal = callers === 'minimal'
  const status = view?.status ?? 403
  const failure = findFailure<AnyCheck>(checks)
  const isAboutScope = view?.oauthError === 'insufficient_scope'
  const challenges = challengesOf(call.api, {
    checks,
    scope: refusal.scope,
    dpopAlgorithms,
    callers,
    usedDpop: /^dpop /i.test(call.request.headers.authorization ?? ''),
  })
  const problem = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(isMinimal ? {} : { detail: view?.text ?? 'not permitted' }),
    ...(view?.code === undefined ? {} : { code: view.code }),
    ...(view?.fix === undefined || status >= 500 ? {} : { fix: view.fix }),
    ...(isAboutScope && refusal.scope !== undefined && !isMinimal
      ? {
          neededScopes: refusal.scope.split(' '),
          heldScopes: failure?.got === 'none' ? [] : (failure?.got ?? '').split(' '),
        }
      : {}),
    ...(view?.code === 'session_missing' ? { loginUrl: loginUrlOf(call.api) } : {}),
    ...(view?.compared === undefined ? {} : { checked: view.compared }),
    correlationId: call.correlationId,
  }
  return {
    status,
    headers: {
      ...SECURITY_HEADERS,
      ...NO_STORE,
      'Content-Type': 'application/problem+json',
      'X-Request-Id': call.correlationId,
      ...pairs(corsHeadersOf(call.api.cors, call.request)),
      ...(challenges.length === 0 ? {} : { 'WWW-Authenticate': challenges }),
      ...refusal.headers,
    },
    body: `${JSON.stringify(problem)}\n`,
  }
}

/** Of names and values by turns, each name once. */
function pairs(list: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) record[list[i]!] = list[i + 1]!
  return record
}

/** Where a script may send the page it is in. */
function loginUrlOf({ url, path }: ApiCall['api']): string {
  return new URL(loginPaths(path).login, url).href
}
