export interface PageHeaderOptions {
  /** Origins that may show the pages in a frame; nobody may without one. */
  readonly frameAncestors: readonly string[]
  /** Of the theme: a `data:` URI, or an `https` URL whose origin images may then come from. */
  readonly logo?: string | undefined
  /** Whether the page has the one script that there is; without it none runs. */
  readonly script?: boolean
}

/**
 * Headers of every page: style and images from us only, forms to us only, and no script at all, but
 * for passkeys, which browsers give to scripts only.
 *
 * `form-action` binds the redirects that follow a form too, as Chromium reads it, however often the
 * app redirects after that. Pages never end in such a chain: the last one is reached by a link (see
 * `finish-page.ts`), so that `'self'` is enough whatever the app does.
 *
 * There is no Cross-Origin-Opener-Policy: an app may have opened the sign-in in a window of its own,
 * and the last redirect leads that window back to the app, which then speaks to its opener.
 * @see CSP Level 3 §6.4.2 form-action; RFC 9700 §4.2, §4.16
 */
export function pageHeaders(options: PageHeaderOptions): Readonly<Record<string, string>> {
  const { frameAncestors, logo, script = false } = options
  const imageOrigin = logo !== undefined && /^https?:/.test(logo) ? ` ${new URL(logo).origin}` : ''
  const policy = [
    "default-src 'none'",
    ...(script ? ["script-src 'self'"] : []),
    "style-src 'self'",
    `img-src 'self' data:${imageOrigin}`,
    "form-action 'self'",
    `frame-ancestors ${frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ')}`,
    "base-uri 'none'",
  ]
  return Object.freeze({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    // It cannot name origins: an EHR that may embed is named above, which browsers then obey.
    ...(frameAncestors.length === 0 ? { 'X-Frame-Options': 'DENY' } : {}),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy':
      'camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()',
    'Cache-Control': 'no-store',
    Pragma: 'no-cache',
    'X-Robots-Tag': 'noindex',
  })
}
