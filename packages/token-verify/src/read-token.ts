import { type Check, failed, passed } from '@scopegate/checks'
import { repeatsMember } from './repeats-member.ts'

/** The parts of a JWS in compact form. Nothing of it is verified. */
export interface ReadToken {
  readonly text: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly signingInput: string
  readonly signature: Buffer
}

/** How the token was sent. @see RFC 9449 §7.1 for `DPoP` */
export type TokenScheme = 'Bearer' | 'DPoP'

export type TokenReading =
  | {
      readonly ok: true
      readonly scheme: TokenScheme
      readonly text: string
      readonly checks: readonly Check[]
    }
  | { readonly ok: false; readonly checks: readonly Check[] }

export type JwtReading =
  | { readonly ok: true; readonly token: ReadToken }
  | { readonly ok: false; readonly check: Check }

/** Longer tokens are not looked at. */
export const MAX_TOKEN_BYTES = 16 * 1024

const PRESENT = Object.freeze([passed('token_present')])
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/
const PART = /^[A-Za-z0-9_-]+$/

/**
 * Takes the access token out of an `Authorization` header.
 *
 * @see RFC 6750 §2.1; RFC 9449 §7.1
 */
export function readCredential(
  authorization: string | undefined,
  how: {
    readonly repeated: boolean
    readonly inParameters: boolean
    /** Whether the scheme DPoP is accepted. */
    readonly dpop: boolean
  },
): TokenReading {
  const refuse = (check: Check, before: readonly Check[] = []): TokenReading => ({
    ok: false,
    checks: [...before, check],
  })
  if (how.inParameters) return refuse(failed('token_in_query'))
  // The fetch API joins repeated headers with a comma; no bearer token holds one.
  const isJoined = authorization?.includes(',') && /^(?:bearer|dpop)\s+\S+\s*,/i.test(authorization)
  if (how.repeated || isJoined) {
    return refuse(failed('several_credentials'))
  }
  if (authorization === undefined || authorization.trim() === '') {
    return refuse(failed('token_missing'))
  }

  const [, scheme = '', text = ''] = /^(\S+)(?: +(.*))?$/.exec(authorization) ?? []
  const name = scheme.toLowerCase()
  if (name !== 'bearer' && !(name === 'dpop' && how.dpop)) {
    const known = /^(basic|digest|dpop|negotiate|ntlm|hoba|mutual|apikey|token)$/i.test(scheme)
    // Anything else may be the token itself, sent without a scheme: it is not repeated.
    return known
      ? refuse(failed('scheme_unsupported', { got: scheme }), PRESENT)
      : refuse(failed('authorization_malformed'), PRESENT)
  }
  if (!TOKEN68.test(text)) return refuse(failed('authorization_malformed'), PRESENT)
  if (text.length > MAX_TOKEN_BYTES) {
    return refuse(
      failed('token_too_long', {
        expected: `${MAX_TOKEN_BYTES} bytes`,
        got: `${text.length} bytes`,
      }),
      PRESENT,
    )
  }
  return { ok: true, scheme: name === 'dpop' ? 'DPoP' : 'Bearer', text, checks: PRESENT }
}

/** Splits and decodes a JWT without judging it. @see RFC 7515 §5.2 */
export function readJwt(text: string): JwtReading {
  const parts = text.split('.')
  if (parts.length === 5) return { ok: false, check: failed('token_encrypted') }
  const notJwt = (got: string): JwtReading => ({
    ok: false,
    check: failed('token_not_jwt', { expected: 'three base64url parts with JSON', got }),
  })
  if (parts.length !== 3) {
    return notJwt(parts.length === 1 ? 'an opaque token' : `${parts.length} parts`)
  }
  const [head = '', body = '', tail = ''] = parts
  const header = decodeObject(head)
  if (header === undefined) return notJwt('a header that is not one JSON object')
  const claims = decodeObject(body)
  if (claims === undefined) return notJwt('claims that are not one JSON object')
  // An unsigned token has an empty third part; it is refused by its algorithm, which says more.
  if (tail !== '' && !PART.test(tail)) return notJwt('a signature that is not base64url')

  const signature = Buffer.from(tail, 'base64url')
  if (signature.toString('base64url') !== tail) return notJwt('a signature that is not base64url')
  if (header.crit !== undefined || header.b64 !== undefined) {
    return {
      ok: false,
      check: failed('critical_header_unknown', { expected: 'no `crit`' }),
    }
  }
  return {
    ok: true,
    token: {
      text,
      header,
      claims,
      signingInput: `${head}.${body}`,
      signature,
    },
  }
}

function decodeObject(part: string): Record<string, unknown> | undefined {
  if (!PART.test(part)) return undefined
  try {
    const bytes = Buffer.from(part, 'base64url')
    // One text for one token: leftover bits are no second spelling.
    if (bytes.toString('base64url') !== part) return undefined
    const json = UTF8.decode(bytes)
    const value: unknown = JSON.parse(json)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && !repeatsMember(json) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })
