import type { SecretFacts } from './provider-signal.ts'

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const PLACEHOLDER = /^(?:\$\{[^}]*\}|\$[A-Z_][A-Z0-9_]*|<[^>]*>|\{\{.*\}\}|%[A-Z_]+%|changeme)$/i
/** What the form encoding of RFC 6749 §2.3.1 changes; the rest is the same for servers that do not decode. */
const ENCODED = /[^A-Za-z0-9*._-]/

/** What may be said of a secret: shape and length, nothing of its content. */
export function secretFacts(secret: string, source?: string): SecretFacts {
  const bare = secret.trim()
  return {
    ...(source === undefined ? {} : { source }),
    lengthCharacters: secret.length,
    isGuid: GUID.test(bare),
    // `trim` takes a byte order mark too, which has a fact of its own.
    hasEdgeWhitespace: /^[\s--[\uFEFF]]|[\s--[\uFEFF]]$/v.test(secret),
    isQuoted: /^(["'`]).*\1$/s.test(bare),
    hasByteOrderMark: secret.startsWith('\uFEFF'),
    isPlaceholder: PLACEHOLDER.test(bare),
    needsEncoding: ENCODED.test(secret),
  }
}
