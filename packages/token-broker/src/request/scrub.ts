import { REDACTED, redactText } from '@scopegate/checks'

const MAX_DESCRIPTION = 1000
const MAX_EXCERPT = 200
const MAX_SCANNED = 20_000
/** Shorter ones are parts of ordinary words. */
const MIN_SECRET = 4
/** A word that long, of letters and digits, is more likely a token than a word. */
const TOKEN_LIKE =
  /(?=[A-Za-z0-9+/_=~.-]*\d)(?=[A-Za-z0-9+/_=~.-]*[A-Za-z])[A-Za-z0-9+/_=~-][A-Za-z0-9+/_=~.-]{19,}/g

/** Takes what was sent out of what came back: providers echo secrets and assertions. */
export interface Scrub {
  (text: string): string
  /** Only what was sent, in text of any length: before anything else changes it. */
  readonly sent: (text: string) => string
}

/** @param secrets everything secret in the request, as it was sent */
export function createScrub(secrets: readonly string[]): Scrub {
  const forms = new Set(
    secrets.flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ _: secret }).toString().slice(2),
      Buffer.from(secret).toString('base64'),
      JSON.stringify(secret).slice(1, -1),
    ]),
  )
  // The longest first: one may be the beginning of another.
  const known = [...forms]
    .filter((form) => form.length >= MIN_SECRET)
    .sort((a, b) => b.length - a.length)
  const sent = (text: string) => {
    let clean = text
    for (const secret of known) clean = clean.replaceAll(secret, REDACTED)
    return clean
  }
  return Object.assign((text: string) => redactText(sent(text)), { sent })
}

/** What a provider says, without secrets and control characters, and not endless. */
export function scrubMessage(text: string, scrub: Scrub): string {
  // They would break lines of a log. Of a long text the rest is not looked at: it is not shown.
  const clean = scrub(scrub.sent(text).slice(0, MAX_SCANNED))
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
  return clean.length > MAX_DESCRIPTION ? `${clean.slice(0, MAX_DESCRIPTION)}…` : clean
}

/**
 * The beginning of an answer that was no OAuth answer. Of JSON only the names of its members are
 * shown, of HTML the text; in both, what looks like a token is taken out.
 */
export function excerptOf(body: string, scrub: Scrub): string {
  const structure = structureOf(body)
  if (structure !== undefined) return cut(scrub(structure))
  const text = scrub
    .sent(body)
    .slice(0, MAX_SCANNED)
    .replace(/<(script|style|head)\b[\s\S]*?(<\/\1\s*>|$)/gi, (whole) => titleIn(whole))
    .replace(/<[^<>]*>/g, ' ')
    .replace(/[?#][^\s"'<>]{8,}/g, '?…')
  return cut(scrubMessage(text, scrub).replace(TOKEN_LIKE, REDACTED).replace(/\s+/g, ' ').trim())
}

function titleIn(head: string): string {
  return ` ${/<title[^>]*>([\s\S]*?)<\/title/i.exec(head)?.[1] ?? ''} `
}

/** `{ "accessToken": text, "expires": number }` */
function structureOf(body: string): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(body.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return `JSON: ${nameOf(value)}`
  if (Array.isArray(value)) return `JSON: a list of ${value.length}`
  const members = Object.entries(value)
    .slice(0, 20)
    .map(([name, each]) => `"${name.slice(0, 40).replace(TOKEN_LIKE, REDACTED)}": ${nameOf(each)}`)
  return `{ ${members.join(', ')} }`
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === '') return 'empty'
  if (Array.isArray(value)) return 'list'
  return typeof value === 'string' ? 'text' : typeof value
}

function cut(text: string): string {
  return text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text
}
