import type { Presentation } from '@scopegate/oauth-model'

type HeaderValue = string | readonly string[] | undefined

/**
 * A request as frameworks have it: `Request` (Hono, Deno, workers), `IncomingMessage` (Node), and
 * what Express and Fastify make of that.
 */
export interface PresentableRequest {
  readonly method?: string | undefined
  /** A path with its query, or absolute. */
  readonly url?: string | undefined
  /** Express: the path before routers took their part of it. */
  readonly originalUrl?: string | undefined
  readonly headers: { get(name: string): string | null } | Readonly<Record<string, HeaderValue>>
  /** Node: all headers in order, of which `headers` keeps the first `authorization` only. */
  readonly rawHeaders?: readonly string[] | undefined
  /** Fastify: the request of Node. */
  readonly raw?: { readonly rawHeaders?: readonly string[] | undefined } | undefined
}

/** What a verifier has to know of a request. @param baseUrl its own URL, as callers write it. */
export function presentedBy(
  request: PresentableRequest,
  baseUrl: string | undefined,
): { readonly authorization: string | undefined; readonly presentation: Presentation } {
  const target = request.originalUrl ?? request.url ?? '/'
  const url = URL.parse(target, 'http://localhost')
  const raw = request.rawHeaders ?? request.raw?.rawHeaders
  const proof = headerOf(request, 'dpop')
  return {
    authorization: headerOf(request, 'authorization'),
    presentation: {
      authorizationRepeated: raw !== undefined && countOf(raw, 'authorization') > 1,
      tokenInParameters: url?.searchParams.has('access_token') ?? false,
      ...(baseUrl === undefined || url === null
        ? {}
        : {
            request: {
              method: request.method ?? 'GET',
              url: `${baseUrl.replace(/\/$/, '')}${url.pathname}`,
              ...(proof === undefined ? {} : { proof }),
            },
          }),
    },
  }
}

/** Repeated ones are joined, and refused for that. */
function headerOf({ headers }: PresentableRequest, name: string): string | undefined {
  const value = isHeaders(headers) ? headers.get(name) : headers[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

function isHeaders(
  headers: PresentableRequest['headers'],
): headers is { get(name: string): string | null } {
  return typeof headers.get === 'function'
}

/** Names stand at the even places. */
function countOf(raw: readonly string[], name: string): number {
  return raw.filter((each, index) => index % 2 === 0 && each.toLowerCase() === name).length
}
