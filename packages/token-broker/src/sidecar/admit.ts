import type { IncomingMessage } from 'node:http'
import { type AnyCheck, failedOutbound, type OutboundCheck } from '@scopegate/checks'
import { checkRequestTarget } from '@scopegate/http'
import type { TokenVerifier } from '@scopegate/oauth-model'
import { authenticateCaller } from './authenticate-caller.ts'
import {
  callOf,
  checkRoute,
  type OutboundCall,
  type OutboundRefusal,
  readTarget,
} from './outbound-call.ts'
import { checkLocal, checkNoBrowser } from './place.ts'
import { type Route, SIDECAR_PATH } from './sidecar-connection.ts'

/** What a request came to before anything is sent. */
export type Admission =
  | { readonly kind: 'call'; readonly call: OutboundCall }
  | { readonly kind: 'refused'; readonly call: OutboundCall; readonly refusal: OutboundRefusal }
  /** To no connection: there is nothing to trace it under. */
  | { readonly kind: 'nowhere'; readonly refusal: OutboundRefusal }

export type Admit = (
  request: IncomingMessage,
  /** The request was admitted before: its proof of possession was used then. */
  options?: { readonly isInspected?: boolean },
) => Promise<Admission>

/** Who calls, from where, and whether the connection leads there. */
export function createAdmission(deps: {
  readonly routes: ReadonlyMap<string, Route>
  readonly url: string
  readonly reach: 'loopback' | 'network'
  /** Callers need no token. */
  readonly isOpen: boolean
  readonly verifier: TokenVerifier
  readonly nowMs: () => number
}): Admit {
  const { routes, url, reach, isOpen, verifier, nowMs } = deps

  function checkPlace(request: IncomingMessage): OutboundCheck {
    if (reach === 'loopback') return checkLocal(request)
    return checkNoBrowser(request) ?? { name: 'place', outcome: 'pass', got: 'network' }
  }

  async function admit(
    request: IncomingMessage,
    { isInspected = false }: { readonly isInspected?: boolean } = {},
  ): Promise<Admission> {
    const place = checkPlace(request)
    const target = checkRequestTarget(request.url!)
    const { name, ...below } = readTarget(target.ok ? target.originForm : '', SIDECAR_PATH)
    const route = routes.get(name)
    if (route === undefined) {
      // Strangers do not learn which connections there are: no token is good for one that is not.
      const made = isOpen ? [] : await checkNobody(request, name)
      const unknown = failedOutbound('connection_unknown', { got: shown(name) })
      return { kind: 'nowhere', refusal: { checks: [place, ...made, unknown] } }
    }
    const call = callOf(request, route, below, nowMs)
    const refused = (refusal: OutboundRefusal): Admission => ({ kind: 'refused', call, refusal })
    if (place.outcome === 'fail') return refused({ checks: [place] })
    call.checks = [place]
    if (!isOpen) {
      const { resource, callers } = route
      const asked = { resource, name, callers }
      const verdict = await authenticateCaller(request, asked, below.path || '/', {
        ...{ verifier, issuer: url, isInspected },
      })
      const checks = [place, ...verdict.checks]
      if (!verdict.ok) {
        if (verdict.clientId !== undefined) call.claimedClientId = verdict.clientId
        return refused({ checks, ...(verdict.headers && { headers: verdict.headers }) })
      }
      Object.assign(call, { caller: verdict.caller, checks })
    }
    const check = checkRoute(call)
    const checks = [...call.checks, check]
    if (check.outcome === 'fail') {
      const isMethod = check.code === 'connection_method_refused'
      return refused({ checks, ...(isMethod && { headers: { Allow: check.expected! } }) })
    }
    call.checks = checks
    return { kind: 'call', call }
  }

  async function checkNobody(request: IncomingMessage, name: string): Promise<readonly AnyCheck[]> {
    const resource = `${url}${SIDECAR_PATH}/${name}`
    const about = { resource, name, callers: new Set<string>() }
    const { checks } = await authenticateCaller(request, about, '/', {
      ...{ verifier, issuer: url, isInspected: false },
    })
    return checks
  }

  return admit
}

/** A name as it may be repeated: it may be anything. */
function shown(name: string): string {
  return /^[A-Za-z0-9._~-]{1,64}$/.test(name) ? name : 'that is named so'
}
