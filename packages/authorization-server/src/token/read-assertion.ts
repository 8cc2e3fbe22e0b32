/** Header and claims of a client assertion; nothing is verified. `undefined` if it is no JWT. */
export function readAssertion(text: unknown):
  | {
      readonly header: Readonly<Record<string, unknown>>
      readonly claims: Readonly<Record<string, unknown>>
    }
  | undefined {
  if (typeof text !== 'string' || text.length > 16 * 1024) return undefined
  const [header, claims, , ...rest] = text.split('.')
  if (header === undefined || claims === undefined || rest.length > 0) return undefined
  const first = decode(header)
  const second = decode(claims)
  return first && second && { header: first, claims: second }
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
