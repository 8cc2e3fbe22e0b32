import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Browser, browserOf, type CookiePolicy } from './browser.ts'
import type { PageFrame } from './layout.ts'
import { pageHeaders } from './page-headers.ts'
import { PASSKEY_SCRIPT } from './passkey-script.ts'
import { createStylesheet, STYLESHEET_PATH } from './stylesheet.ts'
import { chooseLanguage } from './texts/choose-language.ts'
import { createWords, offeredLanguages, type TextOverrides, type Words } from './texts/words.ts'
import { DEFAULT_THEME, type Theme } from './theme.ts'

export interface PagesOptions {
  /** Decides whether cookies are `Secure`. */
  readonly issuer: string
  readonly theme?: Theme
  readonly texts?: TextOverrides
  /** Origins of EHRs that may show the pages in a frame. */
  readonly frameAncestors?: readonly string[]
}

/** What all pages have in common: look, words, headers, cookies. */
export interface Pages {
  readonly headers: Readonly<Record<string, string>>
  /** In addition, for a page that has the script for passkeys. */
  readonly scriptHeaders: Readonly<Record<string, string>>
  readonly cookies: CookiePolicy
  /** Look and language for a request. */
  frame(
    request: IncomingMessage,
    asked?: { readonly uiLocales?: string | undefined; readonly userLocale?: string | undefined },
  ): PageFrame
  browser(request: IncomingMessage, response: ServerResponse): Browser
  send(
    response: ServerResponse,
    page: string,
    status?: number,
    headers?: Readonly<Record<string, string>>,
  ): void
  /** 303: the browser goes on with GET. */
  redirect(response: ServerResponse, to: string): void
  readonly stylesheetPath: string
  serveStylesheet(request: IncomingMessage, response: ServerResponse): void
  servePasskeyScript(request: IncomingMessage, response: ServerResponse): void
}

export function createPages(options: PagesOptions): Pages {
  const theme = options.theme ?? DEFAULT_THEME
  const frameAncestors = options.frameAncestors ?? []
  const stylesheet = createStylesheet(theme)
  const headers = pageHeaders({ frameAncestors, logo: theme.logo })
  const withScript = pageHeaders({ frameAncestors, logo: theme.logo, script: true })
  const cookies = {
    secure: new URL(options.issuer).protocol === 'https:',
    embedded: frameAncestors.length > 0,
  }
  const languages = offeredLanguages(options.texts)
  const words = new Map<string, Words>(
    languages.map((language) => [language, createWords(language, options.texts)]),
  )

  return {
    headers,
    scriptHeaders: { 'Content-Security-Policy': withScript['Content-Security-Policy']! },
    cookies,
    stylesheetPath: STYLESHEET_PATH,
    frame(request, asked = {}) {
      const acceptLanguage = request.headers['accept-language']
      const language = chooseLanguage(languages, { ...asked, acceptLanguage })
      return { words: words.get(language)!, theme, stylesheet: stylesheet.href }
    },
    browser: (request, response) => browserOf(request, response, cookies),
    send(response, page, status = 200, more = {}) {
      const body = Buffer.from(page)
      response.writeHead(status, { ...headers, ...more, 'Content-Length': body.byteLength })
      response.end(response.req.method === 'HEAD' ? undefined : body)
    },
    redirect(response, to) {
      response.writeHead(303, {
        Location: to,
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
        'Content-Length': 0,
      })
      response.end()
    },
    serveStylesheet: (request, response) =>
      serveAsset(request, response, { ...stylesheet, text: stylesheet.css, type: 'text/css' }),
    servePasskeyScript: (request, response) =>
      serveAsset(request, response, { ...PASSKEY_SCRIPT, type: 'text/javascript' }),
  }
}

/** A file of the pages, with an address that changes with it. */
function serveAsset(
  request: IncomingMessage,
  response: ServerResponse,
  { text, etag, type }: { readonly text: string; readonly etag: string; readonly type: string },
): void {
  const common = {
    ETag: etag,
    'Cache-Control': 'public, max-age=86400',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
  }
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim())
  if (known?.includes(etag) || known?.includes('*')) {
    response.writeHead(304, common).end()
    return
  }
  const body = Buffer.from(text)
  response.writeHead(200, {
    ...common,
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': body.byteLength,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
