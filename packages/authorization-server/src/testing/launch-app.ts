import { createHash, randomBytes } from 'node:crypto'
import { createStubBrowser, type StubBrowser } from './browse.ts'
import type { StartedServer } from './start-server.ts'

export const REDIRECT_URI = 'https://app.example/callback'

export interface Authorization {
  readonly params: Record<string, string>
  readonly verifier: string
}

/** The parameters of an authorization request that is good. */
export function authorizationOf(
  at: Pick<StartedServer, 'fhir'>,
  clientId: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): Authorization {
  const verifier = randomBytes(32).toString('base64url')
  const params: Record<string, string> = {}
  const all: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    scope: 'openid fhirUser launch/patient patient/Observation.rs offline_access',
    state: 'state with ümläut & more',
    aud: at.fhir,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  }
  for (const [name, value] of Object.entries(all)) if (value !== undefined) params[name] = value
  return { params, verifier }
}

/** Sends a browser through the whole sign-in; the parameters that the app gets. */
export async function authorize(
  at: Pick<StartedServer, 'issuer'>,
  { params }: Authorization,
  options: { readonly browser?: StubBrowser; readonly hosts?: readonly string[] } = {},
): Promise<{
  readonly url: string
  readonly answer: URLSearchParams
  readonly response: Response
}> {
  const browser = options.browser ?? createStubBrowser(at.issuer)
  const start = `${at.issuer}/oauth/authorize?${new URLSearchParams(params)}`
  const { url, response } = await browser.follow(start, {}, options.hosts)
  return { url, response, answer: new URL(url).searchParams }
}

/** Posts a form to the token endpoint, of this process or another. */
export async function exchange(
  address: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const response = await fetch(`${address}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
  })
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  const body = (await response.json()) as any
  return { status: response.status, headers: response.headers, body }
}

/** From the first click to the tokens. */
export async function launch(
  at: StartedServer,
  clientId: string,
  changes: Readonly<Record<string, string | undefined>> = {},
  credentials: Readonly<Record<string, string>> = { client_id: clientId },
) {
  const request = authorizationOf(at, clientId, changes)
  const { answer, url } = await authorize(at, request)
  const code = answer.get('code')
  if (code === null) throw new Error(`no code: ${url}`)
  return exchange(at.address, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: request.params.redirect_uri ?? '',
    code_verifier: request.verifier,
    ...credentials,
  })
}
