import type { ServerResponse } from 'node:http'
import { escapeHtml, NO_STORE, PAGE_HEADERS } from '@scopegate/http'

export interface LoginPage {
  readonly status: number
  readonly title: string
  readonly text: string
  /** For the operator to find what happened. */
  readonly correlationId?: string
  readonly link?: { readonly href: string; readonly text: string }
  /** A button that posts to `action`. */
  readonly button?: { readonly action: string; readonly text: string }
}

const STYLE =
  'body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#1c2733;background:#fff}h1{font-size:1.5rem}a,button{font:inherit;color:#0b5cad}button{padding:.5rem 1rem;border:1px solid #0b5cad;border-radius:.375rem;background:#0b5cad;color:#fff;cursor:pointer}code{font-size:.9375rem}a:focus-visible,button:focus-visible{outline:3px solid #f5a623;outline-offset:2px}@media(prefers-color-scheme:dark){body{background:#12181f;color:#e6ebf0}a{color:#7db8f5}}'

/** A small page of the login itself: no script, nothing from elsewhere. */
export function sendLoginPage(response: ServerResponse, page: LoginPage): void {
  const { status, title, text, correlationId, link, button } = page
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${link === undefined ? '' : `<p><a href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>\n`}${
  button === undefined
    ? ''
    : `<form method="post" action="${escapeHtml(button.action)}"><button>${escapeHtml(button.text)}</button></form>\n`
}${correlationId === undefined ? '' : `<p><small>Request <code>${escapeHtml(correlationId)}</code></small></p>\n`}</main></body></html>
`
  response.writeHead(status, {
    ...PAGE_HEADERS,
    // With none, browsers that know no Sec-Fetch-Site would not say where the button was pressed.
    'Referrer-Policy': 'same-origin',
    // The button leads on to the provider, whose address is not known here.
    'Content-Security-Policy': PAGE_HEADERS['Content-Security-Policy'].replace(
      "form-action 'self'",
      "form-action 'self' https: http:",
    ),
    ...NO_STORE,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(html),
  })
  response.end(html)
}

/** Sends the browser elsewhere, by a GET. */
export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, {
    ...NO_STORE,
    'Referrer-Policy': 'no-referrer',
    Location: location,
    'Content-Length': 0,
  })
  response.end()
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    ...NO_STORE,
    'X-Content-Type-Options': 'nosniff',
    'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}

/** Refuses a method. */
export function notAllowed(response: ServerResponse, allow: string): void {
  response.setHeader('Allow', allow)
  sendJson(response, 405, { title: 'Method Not Allowed', status: 405 })
}
