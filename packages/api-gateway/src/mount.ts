import type { IncomingMessage } from 'node:http'
import { correlationIdFrom } from '@scopegate/http'
import {
  createHeaderPolicy,
  createTokenMemory,
  createUpstream,
  type HeaderPolicy,
  type TokenMemory,
  type Upstream,
  withoutOwnCookies,
} from '@scopegate/upstream'
import type { Api } from './api.ts'
import type { ApiCall } from './call.ts'
import type { WebLogin } from './web-login.ts'

/** An API with what it takes to run it. */
export interface Mounted {
  readonly api: Api
  readonly upstream: Upstream
  readonly policy: HeaderPolicy
  readonly login: WebLogin | undefined
  readonly loginPaths: readonly string[]
  readonly tokenMemory: TokenMemory
}

export function mount(api: Api, login: WebLogin | undefined, nowMs: () => number): Mounted {
  return {
    api,
    upstream: createUpstream({ origin: api.upstreamOrigin, limits: api.limits, nowMs }),
    policy: headerPolicyOf(api),
    login,
    loginPaths: login?.routes ?? [],
    tokenMemory: createTokenMemory(),
  }
}

function headerPolicyOf({ forward, auth }: Api): HeaderPolicy {
  const { headers, jwt, authorization, tokenOf } = forward
  const ours = headers.map(([name]) => name)
  if (jwt !== undefined) ours.push(jwt.header)
  // Where browsers sign in, what else they send as credentials was never looked at; and where the
  // upstream gets a token of ours, it gets no other.
  if (authorization === 'strip' || auth.mode === 'login' || tokenOf !== undefined) {
    ours.push('authorization', 'dpop')
  }
  return createHeaderPolicy({ drop: ours, cookies: withoutOwnCookies })
}

/** Finds the API with the longest path that a target is at or below. */
export function findMounted(
  mounted: ReadonlyMap<string, Mounted>,
): (path: string) => Mounted | undefined {
  const deepest = Math.max(0, ...[...mounted.keys()].map((path) => path.split('/').length - 1))
  return (path) => {
    let end = 0
    let found: Mounted | undefined
    for (let depth = 0; depth < deepest && end !== path.length; depth += 1) {
      const slash = path.indexOf('/', end + 1)
      end = slash === -1 ? path.length : slash
      found = mounted.get(path.slice(0, end)) ?? found
    }
    return found
  }
}

export function callOf(
  api: Api,
  request: IncomingMessage,
  { nowMs, address }: { readonly nowMs: () => number; readonly address: string },
): ApiCall {
  const target = request.url!
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const startedAtMs = nowMs()
  return {
    api,
    request,
    method: request.method!,
    path: path.slice(api.path.length) || '/',
    query: mark === -1 ? '' : target.slice(mark),
    correlationId: correlationIdFrom(request.headers['x-request-id'], startedAtMs),
    startedAtMs,
    address,
    checks: [],
  }
}

/** What the upstream is asked for. */
export function targetOf({ upstreamPath, keepPath, path }: Api, call: ApiCall): string {
  const below = call.path === '/' && !endsWithSlash(call) ? '' : call.path
  const target = `${upstreamPath}${keepPath ? path : ''}${below}`
  return `${target === '' ? '/' : target}${call.query}`
}

/** `/bank` and `/bank/` are both the API itself; what came is passed on. */
function endsWithSlash({ request }: ApiCall): boolean {
  return pathOf(request.url!).endsWith('/')
}

export function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}
