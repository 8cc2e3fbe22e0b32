/** An error of the token endpoint. @see RFC 6749 §5.2 */
export function refused(status: number, error: string, error_description?: string): Response {
  return Response.json({ error, error_description }, { status })
}

/** A page that may not run anything. */
export function html(status: number, text: string): Response {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  }
  return new Response(text, { status, headers })
}
