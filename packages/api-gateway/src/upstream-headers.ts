import {
  type AnswerHeaders,
  copyAnswerHeaders,
  copyRequestHeaders,
  publicAddress,
  type RequestToken,
  setsOwnCookie,
} from '@scopegate/upstream'
import type { Api } from './api.ts'
import type { ApiCall } from './call.ts'
import { CORS_HEADERS, corsHeadersOf } from './cors.ts'
import type { ApiGatewayDeps } from './deps.ts'
import type { ForwardedHeaders } from './forwarded-headers.ts'
import { identityHeadersOf } from './identity-headers.ts'
import { identityJwtOf } from './identity-jwt.ts'
import type { Mounted } from './mount.ts'

export interface UpstreamHeadersDeps {
  readonly url: string
  readonly forwarded: ForwardedHeaders
  readonly signJwt: ApiGatewayDeps['signJwt']
  readonly nowMs: () => number
}

/** What the upstream gets: the caller's headers without what is ours, and ours. */
export async function upstreamHeadersOf(
  at: Mounted,
  call: ApiCall,
  { url, forwarded, signJwt, nowMs }: UpstreamHeadersDeps,
  token: RequestToken | undefined,
): Promise<string[]> {
  const { api } = at
  const { request, caller } = call
  const headers: string[] = []
  copyRequestHeaders(request.rawHeaders, at.policy, request.headers.connection, headers)
  forwarded.append(request, api, headers)
  headers.push('x-request-id', call.correlationId)
  if (token !== undefined) headers.push(...(await token.headers()))
  else if (call.accessToken !== undefined) {
    headers.push('authorization', `Bearer ${call.accessToken}`)
  }
  if (caller !== undefined) {
    for (const each of identityHeadersOf(caller, api.forward)) headers.push(each)
    const { jwt } = api.forward
    if (jwt !== undefined && signJwt !== undefined) {
      const now = Math.floor(nowMs() / 1000)
      headers.push(jwt.header, await identityJwtOf(caller, api, { issuer: url, signJwt, now }))
    }
  }
  return headers
}

/** What the caller gets of an answer: without cookies that would take the place of ours. */
export function callerHeadersOf(headers: AnswerHeaders, call: ApiCall): string[] {
  const { api, correlationId, request } = call
  const own = ['X-Request-Id', correlationId, ...corsHeadersOf(api.cors, request)]
  return copyAnswerHeaders(headers, answerPolicyOf(api), own)
}

function answerPolicyOf(api: Api) {
  const { upstreamOrigin, upstreamPath, keepPath, path } = api
  const place = {
    origin: upstreamOrigin,
    basePath: keepPath ? upstreamPath + path : upstreamPath,
    mount: path,
    outside: 'keep',
  } as const
  return {
    // What the declaration says of other origins, no upstream says otherwise.
    ...(api.cors && { drop: CORS_HEADERS }),
    keepsCookie: (line: string) => !setsOwnCookie(line),
    address: (location: string) => publicAddress(location, place),
  }
}
