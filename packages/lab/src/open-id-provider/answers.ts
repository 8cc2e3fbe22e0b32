/** A page that may not run anything. */
export function html(status: number, text: string): Response {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  }
  return new Response(text, { status, headers })
}
