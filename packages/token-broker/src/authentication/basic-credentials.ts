/**
 * The value of `Authorization` for HTTP Basic. Encoded as a form is, as RFC 6749 §2.3.1 wants it;
 * letters, digits and `-._*` stay as they are, so that servers which do not decode agree about most
 * secrets.
 */
export function basicCredentials(clientId: string, secret: string): string {
  return raw(formEncode(clientId), formEncode(secret))
}

/** The same without encoding: for servers that do not decode. */
export function rawBasicCredentials(clientId: string, secret: string): string {
  return raw(clientId, secret)
}

function raw(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`, 'utf8').toString('base64')}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ _: text }).toString().slice(2)
}
