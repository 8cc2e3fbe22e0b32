const MAX_CHARACTERS = 200

/**
 * A value of a token that may be shown (issuer, audience, algorithm, key name), cut and without
 * characters that could forge a line of a log or a header.
 */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null)
  const plain = text
    .replace(/[^\x20-\x7e]/g, '?')
    .replaceAll('`', "'")
    .replaceAll('"', "'")
  return plain.length > MAX_CHARACTERS ? `${plain.slice(0, MAX_CHARACTERS)}…` : plain
}
