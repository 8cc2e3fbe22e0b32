import { createHash, randomBytes } from 'node:crypto'
import type { LabKey } from '@scopegate/lab'
import { clientAssertion, JWT_BEARER } from './client-assertion.ts'

/** A registered client, as the tests play it. */
export interface AppClient {
  readonly clientId: string
  readonly redirectUri: string
  readonly secret?: string
  readonly key?: LabKey
}

export interface AuthorizeWish {
  readonly scope: string
  readonly launch?: string
  /** Replaces or adds parameters; `undefined` leaves one out. */
  readonly set?: Readonly<Record<string, string | undefined>>
}

/** An authorization request with what the app remembers of it. */
export interface AuthorizeRequest {
  readonly url: string
  readonly params: URLSearchParams
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly challenge: string
}

export interface TokenAnswer {
  readonly status: number
  readonly headers: Headers
  readonly json: TokenBody
}

export interface TokenBody {
  readonly access_token?: string
  readonly token_type?: string
  readonly expires_in?: number
  readonly scope?: string
  readonly id_token?: string
  readonly refresh_token?: string
  readonly patient?: string
  readonly encounter?: string
  readonly fhirContext?: unknown
  readonly need_patient_banner?: boolean
  readonly intent?: string
  readonly smart_style_url?: string
  readonly tenant?: string
  readonly error?: string
  readonly error_description?: string
}

export interface TokenCall {
  /** Replaces or adds parameters; `undefined` leaves one out. */
  readonly set?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** Whether the client says who it is; it does by default. */
  readonly anonymous?: boolean
}

export interface SmartApp extends AppClient {
  /** A request for a code, with PKCE, state and nonce. @see SMART App Launch 2.2, app-launch */
  authorize(wish: AuthorizeWish): AuthorizeRequest
  exchange(code: string, request: AuthorizeRequest, call?: TokenCall): Promise<TokenAnswer>
  refresh(refreshToken: string, call?: TokenCall): Promise<TokenAnswer>
  clientCredentials(scope: string, call?: TokenCall): Promise<TokenAnswer>
  /** Any call of an endpoint where the client authenticates itself. */
  post(url: string, params: Record<string, string>, call?: TokenCall): Promise<TokenAnswer>
}

interface Endpoints {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly fhirUrl: string
}

export function createSmartApp(client: AppClient, endpoints: Endpoints): SmartApp {
  const { authorizeUrl, tokenUrl, fhirUrl } = endpoints

  async function post(
    url: string,
    params: Record<string, string>,
    { set = {}, headers = {}, anonymous = false }: TokenCall = {},
  ): Promise<TokenAnswer> {
    const who = anonymous ? { params: {}, headers: {} } : authentication(client, tokenUrl)
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries({ ...params, ...who.params, ...set })) {
      if (value !== undefined) body.append(name, value)
    }
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json', ...who.headers, ...headers },
      body,
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      json: text === '' ? {} : (JSON.parse(text) as TokenBody),
    }
  }

  return {
    ...client,
    post,
    authorize({ scope, launch, set = {} }) {
      const [state, nonce, verifier] = [
        randomId(),
        randomId(),
        randomBytes(48).toString('base64url'),
      ]
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      const params = new URLSearchParams()
      const all = {
        response_type: 'code',
        client_id: client.clientId,
        redirect_uri: client.redirectUri,
        scope,
        state,
        aud: fhirUrl,
        ...(scope.split(' ').includes('openid') && { nonce }),
        code_challenge: challenge,
        code_challenge_method: 'S256',
        launch,
        ...set,
      }
      for (const [name, value] of Object.entries(all)) {
        if (value !== undefined) params.append(name, value)
      }
      return { url: `${authorizeUrl}?${params}`, params, state, nonce, verifier, challenge }
    },
    exchange: (code, request, call) =>
      post(
        tokenUrl,
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: client.redirectUri,
          code_verifier: request.verifier,
        },
        call,
      ),
    refresh: (refreshToken, call) =>
      post(tokenUrl, { grant_type: 'refresh_token', refresh_token: refreshToken }, call),
    clientCredentials: (scope, call) =>
      post(tokenUrl, { grant_type: 'client_credentials', scope }, call),
  }
}

function authentication(client: AppClient, tokenUrl: string) {
  if (client.key) {
    const assertion = clientAssertion({ clientId: client.clientId, key: client.key }, tokenUrl)
    return {
      params: { client_assertion_type: JWT_BEARER, client_assertion: assertion },
      headers: {},
    }
  }
  if (client.secret) return { params: {}, headers: { authorization: basic(client) } }
  return { params: { client_id: client.clientId }, headers: {} }
}

/** As Inferno sends it: not encoded, which ids and secrets here need not be. */
function basic({ clientId, secret }: AppClient): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
}

function randomId(): string {
  return randomBytes(18).toString('base64url')
}

/** The claims of a JWT, not verified. */
export function decodeJwt(token: string): {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
} {
  const [header = '', claims = ''] = token.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  return { header: read(header), claims: read(claims) }
}
