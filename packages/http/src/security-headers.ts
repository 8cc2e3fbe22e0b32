/**
 * Headers of every answer that holds data or tokens. Plain records, spread into the headers of an
 * answer where it is made: adding them afterwards costs a copy of all headers.
 * @see https://owasp.org/www-project-secure-headers/
 */
export const SECURITY_HEADERS = Object.freeze({
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'cross-origin',
})

/** Headers of a page: no script, nothing from elsewhere, no frame. */
export const PAGE_HEADERS = Object.freeze({
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
})

/** Added by the node server when the public address is `https`: one year, subdomains untouched. */
export const STRICT_TRANSPORT = 'max-age=31536000'

/** For answers that must not be stored by anyone. */
export const NO_STORE = Object.freeze({ 'Cache-Control': 'no-store' })
