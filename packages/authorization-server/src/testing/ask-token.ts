/** Posts a form to the token endpoint; a body is whatever came. */
export async function askToken(issuer: string, form: Readonly<Record<string, string>>) {
  const response = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  const body = (await response.json()) as any
  return { status: response.status, headers: response.headers, body }
}
