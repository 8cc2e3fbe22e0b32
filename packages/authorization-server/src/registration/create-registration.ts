import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NetworkPolicy } from '@scopegate/token-verify'
import type { Pool, PoolClient } from 'pg'
import { answerJson } from '../answer-json.ts'
import type { Client } from '../clients/client.ts'
import { newClientId } from '../clients/client-id.ts'
import { generateSecret } from '../clients/client-secret.ts'
import { insertClient, insertSecret, lockClient, updateClient } from '../clients/client-store.ts'
import { needsSecret } from '../clients/needs-secret.ts'
import { failureLimitText, type TokenLimits } from '../token/failure-limiter.ts'
import { clientInformation } from './client-information.ts'
import { judgeMetadata } from './judge-metadata.ts'
import { MetadataRefused } from './metadata-refused.ts'
import { ownMembersProblem } from './own-members-problem.ts'
import { type JsonBody, readJsonBody } from './read-json-body.ts'
import {
  findRegistration,
  insertRegistration,
  type StoredPolicy,
  updatePolicy,
} from './registration-store.ts'
import { hashToken, type InitialAccessTokens } from './registration-tokens.ts'

/** What happened at the registration endpoint; no token, no secret. */
export interface RegistrationEvent {
  readonly atMs: number
  readonly correlationId: string
  readonly address: string
  readonly action: 'client.register' | 'client.change' | 'client.read' | 'client.remove'
  readonly status: number
  readonly clientId?: string
  /** The id of the initial access token. */
  readonly tokenId?: string
  /** The error code and what the caller read, when refused. */
  readonly error?: string
  readonly description?: string
}

export interface RegistrationDeps {
  readonly pool: Pool
  readonly transaction: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>
  readonly tokens: InitialAccessTokens
  /** Ends what users gave a client that is gone, and the tokens that it holds. */
  readonly endClient: (clientId: string) => Promise<unknown>
  /** Wrong tokens count as wrong credentials of the token endpoint do. */
  readonly limits: Pick<TokenLimits, 'beforeAuthentication' | 'failed' | 'failuresPerMinute'>
  readonly network: NetworkPolicy
  /** Scopes that ordinary APIs have named. */
  readonly apiScopes?: readonly string[]
  readonly issuer: string
  readonly nowMs: () => number
  readonly addressOf: (request: IncomingMessage) => string
  readonly correlationIdOf: (request: IncomingMessage) => string
  /** Awaited: what cannot be recorded is not answered as done. */
  readonly onEvent?: (event: RegistrationEvent) => Promise<void> | void
}

export interface Registration {
  /** The endpoint itself; a client's own address is one segment below it. */
  readonly path: string
  handles(path: string): boolean
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}

const PATH = '/oauth/register'
const NO_CACHE = { pragma: 'no-cache', 'x-content-type-options': 'nosniff' }

interface Answer {
  readonly status: number
  readonly isWrongToken?: boolean
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly clientId?: string
  readonly tokenId?: string
}

/**
 * Dynamic client registration and its management, over our own client store.
 *
 * Only with an initial access token, whose policy bounds what is registered, then and later; no
 * CORS; nothing that a client names is fetched, but `jwks_uri` when the client signs in.
 *
 * @see RFC 7591, RFC 7592; docs/decisions/0007-own-registration-endpoint.md
 */
export function createRegistration(deps: RegistrationDeps): Registration {
  const { pool, transaction, tokens, network, issuer } = deps

  async function answer(request: IncomingMessage, path: string): Promise<Answer> {
    const bearer = bearerOf(request)
    if (bearer === undefined) return unauthorized()
    if (path === PATH) {
      if (request.method !== 'POST') return notAllowed('POST')
      return register(request, bearer)
    }
    const clientId = path.slice(PATH.length + 1)
    const policy = await findRegistration(pool, clientId, hashToken(bearer))
    // The same for a client that never was, one that is gone and one that is somebody else's.
    if (policy === undefined) return unauthorized('invalid_token')
    const access = { url: `${issuer}${PATH}/${clientId}`, token: bearer }
    const locked = await lockedRead(clientId)
    if (locked === undefined) return unauthorized('invalid_token')
    if (locked.disabled) {
      return { ...refused(403, 'access_denied', 'the client is disabled'), clientId }
    }
    switch (request.method) {
      case 'GET': {
        const body = clientInformation(locked, policy.authMethod, access, undefined)
        return { status: 200, body, clientId }
      }
      case 'PUT':
        return { ...(await replace(request, locked, policy, access)), clientId }
      case 'DELETE':
        await pool.query(`DELETE FROM client WHERE id = $1 AND source = 'dynamic'`, [clientId])
        await deps.endClient(clientId)
        return { status: 204, clientId }
      default:
        return notAllowed('GET, PUT, DELETE')
    }
  }

  function lockedRead(clientId: string): Promise<Client | undefined> {
    return transaction(async (sql) => (await lockClient(sql, clientId))?.client)
  }

  async function register(request: IncomingMessage, bearer: string): Promise<Answer> {
    const token = await tokens.find(bearer)
    if (token === undefined) return unauthorized('invalid_token')
    const body = await readJsonBody(request)
    if (!body.ok) return { ...unreadable(body), tokenId: token.id }
    const judged = judgeMetadata(body.value, token, network, deps.apiScopes)
    if (judged instanceof MetadataRefused) {
      return { ...refused(400, judged.error, judged.message), tokenId: token.id }
    }
    const { checked, authMethod } = judged
    const clientId = newClientId(checked.name)
    const clientSecret = needsSecret(checked) ? generateSecret() : undefined
    const accessToken = `sgr_${randomBytes(32).toString('base64url')}`
    const client = await transaction(async (sql) => {
      if (!(await tokens.use(sql, token.id))) return undefined
      await insertClient(sql, clientId, 'dynamic', checked)
      if (clientSecret !== undefined) await insertSecret(sql, clientId, clientSecret)
      const { scopes, grants, authMethods, redirectHosts } = token
      await insertRegistration(sql, {
        clientId,
        tokenId: token.id,
        hash: hashToken(accessToken),
        policy: { scopes, grants, authMethods, redirectHosts, authMethod },
      })
      return (await lockClient(sql, clientId))?.client
    })
    // Its last use went to somebody else in the meantime.
    if (client === undefined) return unauthorized('invalid_token')
    const access = { url: `${issuer}${PATH}/${clientId}`, token: accessToken }
    return {
      status: 201,
      body: clientInformation(client, authMethod, access, clientSecret),
      clientId,
      tokenId: token.id,
    }
  }

  /** Replaces the whole registration, as the RFC asks: what is left out goes back to its default. */
  async function replace(
    request: IncomingMessage,
    former: Client,
    policy: StoredPolicy,
    access: { readonly url: string; readonly token: string },
  ): Promise<Answer> {
    const body = await readJsonBody(request)
    if (!body.ok) return unreadable(body)
    const own = ownMembersProblem(body.value, former, deps.nowMs())
    if (own !== undefined) return refused(400, 'invalid_client_metadata', own)
    const judged = judgeMetadata(body.value, policy, network, deps.apiScopes)
    if (judged instanceof MetadataRefused) return refused(400, judged.error, judged.message)
    const { checked, authMethod } = judged
    const changed = await transaction(async (sql) => {
      const locked = await lockClient(sql, former.id)
      if (locked === undefined) return undefined
      const { client } = locked
      // What the operator decided stays decided.
      const { consent, accessTokenSeconds, refreshTokenSeconds } = client
      await updateClient(sql, client.id, client.disabled, {
        ...checked,
        consent,
        ...(accessTokenSeconds !== undefined && { accessTokenSeconds }),
        ...(refreshTokenSeconds !== undefined && { refreshTokenSeconds }),
      })
      if (!needsSecret(checked)) {
        await sql.query('DELETE FROM client_secret WHERE client_id = $1', [client.id])
      }
      const secret = needsSecret(checked) && !needsSecret(client) ? generateSecret() : undefined
      if (secret !== undefined) await insertSecret(sql, client.id, secret)
      await updatePolicy(sql, client.id, { ...policy, authMethod })
      return { client: (await lockClient(sql, client.id))?.client ?? client, secret }
    })
    if (changed === undefined) return unauthorized('invalid_token')
    return {
      status: 200,
      body: clientInformation(changed.client, authMethod, access, changed.secret),
    }
  }

  function tooMany(seconds: number): Answer {
    const told = failureLimitText(seconds, deps.limits.failuresPerMinute)
    return {
      ...refused(429, 'temporarily_unavailable', told),
      headers: { 'retry-after': String(seconds) },
    }
  }

  function counted(answered: Answer, address: string): Answer {
    const wait = deps.limits.failed(address)
    return wait === undefined ? answered : tooMany(wait)
  }

  return {
    path: PATH,
    handles: (path) => path === PATH || /^\/oauth\/register\/[A-Za-z0-9._~-]{1,128}$/.test(path),

    async handle(request, response) {
      const path = (request.url ?? '').split('?', 1)[0] ?? ''
      const correlationId = deps.correlationIdOf(request)
      const address = deps.addressOf(request)
      const wait = deps.limits.beforeAuthentication(address, '')
      const answered = wait === undefined ? await answer(request, path) : tooMany(wait)
      const { status, body, headers, clientId, tokenId } =
        answered.isWrongToken === true ? counted(answered, address) : answered
      const said = body as { error?: string; error_description?: string } | undefined
      await deps.onEvent?.({
        atMs: deps.nowMs(),
        correlationId,
        address,
        action: actionOf(request.method, path),
        status,
        ...(clientId !== undefined && { clientId }),
        ...(tokenId !== undefined && { tokenId }),
        ...(said?.error !== undefined && { error: said.error }),
        ...(said?.error_description !== undefined && { description: said.error_description }),
      })
      const all = { ...NO_CACHE, 'x-request-id': correlationId, ...headers }
      if (body !== undefined) return answerJson(response, status, body, all)
      response.writeHead(status, { 'cache-control': 'no-store', ...all })
      response.end()
    },
  }
}

function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
}

function unauthorized(error?: 'invalid_token'): Answer {
  const told =
    error === undefined
      ? 'an initial access token is needed, as `Authorization: Bearer …`; the operator makes one with `scopegate registration-token create`'
      : 'the token is not valid here: unknown, used up, expired, or of another client'
  return {
    status: 401,
    isWrongToken: error !== undefined,
    headers: {
      'www-authenticate': `Bearer realm="registration"${error === undefined ? '' : `, error="${error}"`}`,
    },
    body: { error: error ?? 'invalid_token', error_description: told },
  }
}

function refused(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } }
}

function unreadable({ status, why }: Extract<JsonBody, { ok: false }>): Answer {
  const answer = refused(status, 'invalid_client_metadata', why)
  // The rest of the body is not read.
  return status === 413 ? { ...answer, headers: { connection: 'close' } } : answer
}

function notAllowed(allow: string): Answer {
  return {
    ...refused(405, 'invalid_request', `use ${allow}`),
    headers: { allow },
  }
}

function actionOf(method: string | undefined, path: string): RegistrationEvent['action'] {
  if (path === PATH) return 'client.register'
  if (method === 'PUT') return 'client.change'
  return method === 'DELETE' ? 'client.remove' : 'client.read'
}
