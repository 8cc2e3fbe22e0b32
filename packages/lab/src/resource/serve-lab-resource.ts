import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { listenOnLoopback } from '../serve-on-loopback.ts'
import type { LabResource, LabResourceOptions, LabResourceRequest } from './lab-resource-types.ts'
import { answerResource } from './resource-paths.ts'
import { echoWebSocket } from './web-socket-echo.ts'

type Refusal = NonNullable<LabResourceRequest['refused']>

/**
 * A protected resource for those who send tokens: `…/Patient/{id}`, and paths that are hard to pass
 * on (`/big`, `/events`, `/trailers`, `/redirect`, `/status`, WebSockets); any other path tells what
 * came. Every request is judged by its bearer token.
 */
export async function serveLabResource(options: LabResourceOptions): Promise<LabResource> {
  const requests: LabResourceRequest[] = []
  const counts = { served: 0, refused: 0 }

  function refusalOf(token: string | undefined): Refusal | undefined {
    if (resource.refusals > 0) {
      resource.refusals--
      return 'told_to'
    }
    if (token === undefined) return 'no_token'
    const known = options.tokens.readAccessToken(token)
    if (known === undefined) return 'token_not_valid'
    if (options.newestOnly === true && !known.isNewest) return 'token_not_newest'
    const { requiredScope } = options
    return requiredScope !== undefined && !known.scopes.includes(requiredScope)
      ? 'scope'
      : undefined
  }

  function judge(request: IncomingMessage): LabResourceRequest {
    const { method = '', url = '', headers, rawHeaders } = request
    const [, token] = /^(?:Bearer|DPoP) (.+)$/i.exec(headers.authorization ?? '') ?? []
    const refused = refusalOf(token)
    const seen: LabResourceRequest = {
      ...{ method, url, headers, rawHeaders },
      authorizations: rawHeaders.filter(
        (text, index) => index % 2 === 0 && text.toLowerCase() === 'authorization',
      ).length,
      tokenFingerprint:
        token && createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url'),
      status: refused === undefined ? 200 : refused === 'scope' ? 403 : 401,
      ...(refused && { refused }),
      bodyBytes: 0,
    }
    requests.push(seen)
    if (refused === undefined) counts.served++
    else counts.refused++
    return seen
  }

  function challengeOf({ refused }: LabResourceRequest): Record<string, string> {
    const { challenge } = resource
    if (challenge === null) return {}
    const { requiredScope } = options
    const usual = {
      no_token: 'Bearer',
      scope: `Bearer error="insufficient_scope", scope="${requiredScope}"`,
      told_to: 'Bearer error="invalid_token"',
      token_not_valid: 'Bearer error="invalid_token", error_description="the token is not valid"',
      token_not_newest: 'Bearer error="invalid_token", error_description="the token was replaced"',
    } as const
    return { 'www-authenticate': challenge ?? usual[refused ?? 'told_to'] }
  }

  const { origin, server, close } = await listenOnLoopback((request, response) => {
    const seen = judge(request)
    if (seen.refused !== undefined) {
      // What is left of a body is read and counted, so that the connection can go on.
      request.on('data', (chunk: Buffer) => {
        seen.bodyBytes += chunk.length
      })
      response.writeHead(seen.status, {
        ...challengeOf(seen),
        'content-type': 'application/json',
      })
      response.end(JSON.stringify({ error: seen.refused }))
      return
    }
    answerResource(request, response, seen).catch(() => response.destroy())
  }, options)

  server.on('upgrade', (request, socket, head) => {
    const seen = judge(request)
    if (seen.refused === undefined) return echoWebSocket(request, socket, head)
    const [name, value] = Object.entries(challengeOf(seen))[0] ?? []
    const challenge = name === undefined ? '' : `${name}: ${value}\r\n`
    socket.end(
      `HTTP/1.1 ${seen.status} Refused\r\n${challenge}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    )
  })

  const resource: LabResource = {
    url: origin,
    ...{ server, requests, counts, close },
    refusals: 0,
    challenge: undefined,
    forget() {
      requests.length = 0
      Object.assign(counts, { served: 0, refused: 0 })
    },
  }
  return resource
}
