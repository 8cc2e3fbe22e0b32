/** A program with a secret of its own, as the admin API sees it. */
export interface SigningClient {
  /** A call to the admin API under a token with this scope. */
  admin(method: string, path: string, body?: unknown, scope?: string): Promise<AdminAnswer>
  /** `POST …/sign-jwt`. */
  sign(key: string, body: unknown): Promise<AdminAnswer>
}

export interface AdminAnswer {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what came is asserted on, member by member
  readonly json: any
}

/** Every answer is kept in `seen`, so that what must never come out can be looked for. */
export function signingClient(
  url: string,
  credentials: { readonly id: string; readonly secret: string },
  seen: string[] = [],
  issuer = url,
): SigningClient {
  const tokens = new Map<string, Promise<string>>()

  async function fetchToken(scope: string): Promise<string> {
    const { id, secret } = credentials
    const response = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope,
        resource: `${issuer}/admin/api`,
      }),
    })
    const { access_token: token } = (await response.json()) as { access_token?: string }
    if (token === undefined) throw new Error(`no token for ${id}: ${response.status}`)
    return token
  }

  async function admin(method: string, path: string, body?: unknown, scope = 'admin/keys.sign') {
    if (!tokens.has(scope)) tokens.set(scope, fetchToken(scope))
    const response = await fetch(`${url}/admin/api${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await tokens.get(scope)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    seen.push(`${JSON.stringify([...response.headers])}${text}`)
    return { status: response.status, text, json: parse(text) }
  }

  return { admin, sign: (key, body) => admin('POST', `/keys/${key}/sign-jwt`, body) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
