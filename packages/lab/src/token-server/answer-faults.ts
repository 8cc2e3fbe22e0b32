/** What a token endpoint can be told to answer oddly, so that a client shows what it makes of it. */
export const LAB_ANSWER_FAULTS = {
  no_token_type: '`token_type` is missing',
  bearer_token_type: '`token_type` is `BearerToken`',
  upper_case_token_type: '`token_type` is `BEARER`',
  mac_token_type: '`token_type` is `mac`, which nobody can use',
  null_refresh_token: '`refresh_token` is null',
  scope_list: '`scope` is a list',
  no_scope: '`scope` is missing',
  fewer_scopes: 'the first scope is all that was granted',
  more_scopes: 'a scope was granted that nobody asked for',
  no_expires_in: '`expires_in` is missing',
  expires_in_text: '`expires_in` is a text: "3599"',
  expires_in_zero: '`expires_in` is 0',
  expires_in_ten_years: '`expires_in` says ten years',
  unknown_members: 'members that no standard knows',
  text_plain: 'JSON under the content type text/plain',
  no_access_token: '`access_token` is missing',
  number_access_token: '`access_token` is a number',
  spaced_access_token: '`access_token` holds a line break',
  cut_off: 'status 200, and JSON that ends in the middle',
  empty: 'status 200 and nothing',
  list: 'status 200 and a list',
  error_with_200: 'an OAuth error under status 200',
  html_with_200: 'a web page under status 200',
  html_502: 'a web page under status 502, from a proxy before it',
  redirect_302: 'leads to a sign-in page by 302',
  huge: 'status 200 and 8 MB',
  basic_challenge: '401 with WWW-Authenticate: Basic and a JSON error',
  null_description: '400 `invalid_client` with `error_description` null, as Epic',
  cerner_error_uri: '400 with a URN in `error_uri`, as Oracle Health',
} as const

export type LabAnswerFault = keyof typeof LAB_ANSWER_FAULTS

type Body = Record<string, unknown>

const CHANGES: Partial<Record<LabAnswerFault, (body: Body) => void>> = {
  no_token_type: (body) => delete body.token_type,
  bearer_token_type: (body) => set(body, { token_type: 'BearerToken' }),
  upper_case_token_type: (body) => set(body, { token_type: 'BEARER' }),
  mac_token_type: (body) => set(body, { token_type: 'mac' }),
  null_refresh_token: (body) => set(body, { refresh_token: null }),
  scope_list: (body) => set(body, { scope: String(body.scope ?? '').split(' ') }),
  no_scope: (body) => delete body.scope,
  fewer_scopes: (body) => set(body, { scope: String(body.scope ?? '').split(' ')[0] }),
  more_scopes: (body) => set(body, { scope: `${String(body.scope ?? '')} extra`.trim() }),
  no_expires_in: (body) => delete body.expires_in,
  expires_in_text: (body) => set(body, { expires_in: '3599' }),
  expires_in_zero: (body) => set(body, { expires_in: 0 }),
  expires_in_ten_years: (body) => set(body, { expires_in: 315_360_000 }),
  unknown_members: (body) => set(body, { acr: '1', nested: { deep: [1, null] } }),
  no_access_token: (body) => delete body.access_token,
  number_access_token: (body) => set(body, { access_token: 12345 }),
  spaced_access_token: (body) => set(body, { access_token: 'one\r\nX-Evil: two' }),
}

const JSON_TYPE = { 'content-type': 'application/json', 'cache-control': 'no-store' }
const HTML_TYPE = { 'content-type': 'text/html; charset=utf-8' }

/** A web page as proxies answer with it. */
const PAGE = `<!doctype html><html><head><title>Bad Gateway</title></head>
<body><h1>The proxy could not reach the server</h1><p>Reference 18.5f1c2</p></body></html>`

const INSTEAD: Partial<Record<LabAnswerFault, () => Response>> = {
  cut_off: () => new Response('{"access_token":"abcdef","token_ty', { headers: JSON_TYPE }),
  empty: () => new Response('', { headers: JSON_TYPE }),
  list: () => Response.json([{ access_token: 'abcdef' }]),
  error_with_200: () =>
    Response.json({ error: 'invalid_client', error_description: 'The client is disabled.' }),
  html_with_200: () => new Response(PAGE, { headers: HTML_TYPE }),
  html_502: () => new Response(PAGE, { status: 502, headers: HTML_TYPE }),
  redirect_302: () =>
    new Response(null, { status: 302, headers: { location: 'https://login.example/signin' } }),
  huge: () => new Response(`{"padding":"${'x'.repeat(8 * 1024 * 1024)}"}`, { headers: JSON_TYPE }),
  basic_challenge: () =>
    Response.json(
      { error: 'invalid_client', error_description: 'Client secret has expired.' },
      { status: 401, headers: { 'www-authenticate': 'Basic realm="token"' } },
    ),
  null_description: () =>
    Response.json({ error: 'invalid_client', error_description: null }, { status: 400 }),
  cerner_error_uri: () =>
    Response.json(
      {
        error: 'invalid_client',
        error_uri:
          'https://authorization.cerner.com/errors/urn%3Acerner%3Aerror%3Aauthorization-server%3Aoauth2%3Atoken%3Ainvalid-authorization-header/instances/5f1c2d4e?tenant=lab',
      },
      { status: 400, headers: { 'cerner-correlation-id': '5f1c2d4e-0000-4000-8000-000000000001' } },
    ),
}

/** What is answered instead of asking at all; `undefined`: nothing of that kind. */
export function answerInstead(faults: ReadonlySet<LabAnswerFault>): Response | undefined {
  for (const fault of faults) {
    const answer = INSTEAD[fault]
    if (answer !== undefined) return answer()
  }
  return undefined
}

/** The answer of a token endpoint with what the faults do to it; refusals stay as they are. */
export async function oddAnswer(
  response: Response,
  faults: ReadonlySet<LabAnswerFault>,
): Promise<Response> {
  if (faults.size === 0 || response.status !== 200) return response
  const body = (await response.json()) as Body
  for (const fault of faults) CHANGES[fault]?.(body)
  const headers = new Headers(response.headers)
  if (faults.has('text_plain')) headers.set('content-type', 'text/plain; charset=utf-8')
  return new Response(JSON.stringify(body), { headers })
}

function set(body: Body, members: Body): void {
  Object.assign(body, members)
}
