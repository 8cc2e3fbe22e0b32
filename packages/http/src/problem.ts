import { STATUS_CODES } from 'node:http'
import { parseAccept } from './media-type.ts'
import { NO_STORE, PAGE_HEADERS } from './security-headers.ts'

/** What went wrong, for somebody outside FHIR and OAuth (which have their own forms). */
export interface Problem {
  readonly status: number
  /** What happened, one sentence. */
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
  readonly correlationId?: string
  readonly headers?: Readonly<Record<string, string>>
  /** More members of the JSON form; never shown on a page. @see RFC 9457 §3.2 */
  readonly members?: Readonly<Record<string, unknown>>
}

/**
 * The answer for a problem: a page for a browser, `application/problem+json` for everybody else.
 * @see RFC 9457
 */
export function problemResponse(request: Request | undefined, problem: Problem): Response {
  const title = STATUS_CODES[problem.status] ?? 'Error'
  const headers: Record<string, string> = {
    ...PAGE_HEADERS,
    ...NO_STORE,
    ...(problem.correlationId === undefined ? {} : { 'X-Request-Id': problem.correlationId }),
    ...problem.headers,
  }
  if (request !== undefined && prefersHtml(request)) {
    headers['Content-Type'] = 'text/html; charset=utf-8'
    return new Response(page(title, problem), { status: problem.status, headers })
  }
  headers['Content-Type'] = 'application/problem+json'
  const body = {
    ...problem.members,
    title,
    status: problem.status,
    detail: problem.detail,
    ...(problem.fix === undefined ? {} : { fix: problem.fix }),
    ...(problem.correlationId === undefined ? {} : { correlationId: problem.correlationId }),
  }
  return new Response(`${JSON.stringify(body)}\n`, { status: problem.status, headers })
}

/** Text made safe for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

function prefersHtml(request: Request): boolean {
  const best = parseAccept(request.headers.get('accept') ?? '')[0]
  return best?.type === 'text/html' && best.quality > 0
}

function page(title: string, problem: Problem): string {
  const lines = [
    `<h1>${problem.status} ${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(problem.detail)}</p>`,
    ...(problem.fix === undefined ? [] : [`<p>${escapeHtml(problem.fix)}</p>`]),
    ...(problem.correlationId === undefined
      ? []
      : [`<p><small>Request ${escapeHtml(problem.correlationId)}</small></p>`]),
    '<p><a href="/">Home</a></p>',
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${problem.status} ${escapeHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181b}a{color:#8ab4f8}}</style></head>
<body>${lines.join('\n')}</body></html>
`
}
