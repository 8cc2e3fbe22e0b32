/** The header and the claims of a JWT, for showing; nothing is verified. `undefined` for others. */
export function decodeJwt(
  token: string,
): { readonly header: Json; readonly claims: Json } | undefined {
  const [header, claims, signature] = token.split('.')
  if (header === undefined || claims === undefined || signature === undefined) return undefined
  return { header: decodePart(header), claims: decodePart(claims) }
}

export type Json = Readonly<Record<string, unknown>>

function decodePart(part: string): Json {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
}

/** The facts of a token, with its times as somebody reads them. */
export function tokenFacts(token: string): readonly { name: string; value: string }[] {
  const decoded = decodeJwt(token)
  if (decoded === undefined) return [{ name: 'form', value: 'opaque: only the server can read it' }]
  return [
    { name: 'header', value: JSON.stringify(decoded.header) },
    ...Object.entries(decoded.claims).map(([name, value]) => ({
      name,
      value: ['iat', 'exp', 'nbf', 'auth_time'].includes(name)
        ? `${value}  (${new Date(Number(value) * 1000).toISOString()})`
        : typeof value === 'string'
          ? value
          : JSON.stringify(value),
    })),
  ]
}
