import { pathProblem } from '@scopegate/http'
import {
  type AdminScope,
  type ConnectionToken,
  TokenUnavailable,
  type TokenWish,
} from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import type { Connections } from '../connection-ports.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'
import { connectionJson, failureJson } from './connection-json.ts'
import { findConnection, nameConnection } from './find-connection.ts'

const QUERY = ['minValidSeconds', 'scope', 'audience', 'subject', 'strict']
const MAX_VALID_SECONDS = 86_400
const TOKEN_SCOPE = 'admin/connections.token' satisfies AdminScope

/** All connections with the state of their tokens. */
export async function listConnections({ deps }: AdminCall): Promise<AdminAnswer> {
  const views = (await deps.connections?.list()) ?? []
  return answerJson({ connections: views.map((view) => connectionJson(view, deps.nowMs())) })
}

/** One connection. */
export async function showConnection(call: AdminCall): Promise<AdminAnswer> {
  const { view } = await findConnection(call)
  return answerJson(connectionJson(view, call.deps.nowMs()))
}

/** Whether the calling client is named by the connection. Unknown connections have no callers. */
export async function isCaller({ deps, params, token }: AdminCall): Promise<boolean> {
  return deps.connections?.callersOf(params.name ?? '')?.includes(token.clientId) === true
}

/**
 * A token, for a program that cannot use the sidecar. Bound tokens are kept: without the key that
 * signs their proofs they are of no use, and the key is given to nobody.
 */
export async function handOutToken(call: AdminCall): Promise<AdminAnswer> {
  const wish = readWish(call.query)
  const { connections, name } = nameConnection(call)
  await checkCallerWish(wish, call, connections)
  const token = await getToken(connections, name, wish, call.request.signal)
  if (token.type !== 'Bearer') {
    throw new AdminProblem(
      409,
      `tokens of connection \`${name}\` are bound to a key (DPoP), and are not handed out`,
      `send requests through the sidecar, which signs their proofs: /out/${name}/…`,
    )
  }
  const nowSeconds = Math.floor(call.deps.nowMs() / 1000)
  return answerJson(
    {
      access_token: token.accessToken,
      token_type: token.type,
      expires_at: token.expiresAt,
      expires_in: Math.max(0, Math.floor(token.expiresAt - nowSeconds)),
      scope: token.scopes.join(' '),
      warnings: token.warnings,
    },
    200,
    {
      target: `connection/${name}`,
      detail: { fingerprint: token.fingerprint, expiresAt: token.expiresAt },
    },
  )
}

/** Closes the circuit and forgets refusals. */
export async function retryConnection(call: AdminCall): Promise<AdminAnswer> {
  const { connections, view } = await findConnection(call)
  await connections.retry(view.name)
  const after = (await connections.find(view.name)) ?? view
  return answerJson(connectionJson(after, call.deps.nowMs()), 200, {
    target: `connection/${view.name}`,
  })
}

/**
 * Examines the way of its token. With `url` the token is sent there: below the upstream of the
 * connection only, where its tokens go anyway.
 */
export async function examineConnection(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  refuseUnknown(members, ['url'])
  const { connections, view } = await findConnection(call)
  const url = members.url === undefined ? undefined : textMember(members, 'url')
  if (url !== undefined && !isBelow(url, view.upstream)) {
    throw new AdminProblem(
      400,
      view.upstream === undefined
        ? `connection \`${view.name}\` has no \`upstream\`, so its token is sent nowhere from here`
        : `\`url\` must be below the upstream of the connection: ${view.upstream}`,
      'examine it where the configuration is: `scopegate doctor connection NAME --url …`',
    )
  }
  const examine = offered(connections.examine?.bind(connections), 'doctor for connections')
  const report = await examine(view.name, url)
  return answerJson(report, 200, {
    target: `connection/${view.name}`,
    detail: { outcome: report.outcome, ...(report.kind && { kind: report.kind }) },
  })
}

/** By host and by whole segments of the path, which everybody must read alike. */
function isBelow(address: string, upstream: string | undefined): boolean {
  const url = URL.parse(address)
  const base = upstream === undefined ? null : URL.parse(upstream)
  if (url === null || base === null || url.origin !== base.origin) return false
  if (url.username !== '' || url.password !== '' || /%2e/i.test(url.pathname)) return false
  // `/r4/..;/admin` is `/admin` to some servers.
  if (pathProblem(url.pathname) !== undefined) return false
  const path = base.pathname.replace(/\/+$/, '')
  return url.pathname === path || url.pathname.startsWith(`${path}/`)
}

/**
 * A client that is let in as caller gets the token as it is configured, with fewer scopes if it
 * wants: not one for another audience, nor on behalf of somebody it names.
 */
async function checkCallerWish(
  { audience, subject, scopes = [] }: TokenWish,
  { token, params }: AdminCall,
  connections: Connections,
): Promise<void> {
  if (audience === undefined && subject === undefined && scopes.length === 0) return
  if (token.scope.split(' ').includes(TOKEN_SCOPE)) return
  if (audience !== undefined || subject !== undefined) {
    throw new AdminProblem(
      403,
      '`audience` and `subject` are for operators; a caller gets the token as it is configured',
      `leave them out, or have the client registered for ${TOKEN_SCOPE}`,
    )
  }
  // Where none is configured, the provider decides what is meant; whoever names one would get more.
  const configured = (await connections.find(params.name ?? ''))?.scopes ?? []
  const foreign = scopes.filter((scope) => !configured.includes(scope))
  if (foreign.length === 0) return
  throw new AdminProblem(
    403,
    `not among the scopes of the connection: ${foreign.map((one) => `\`${one.slice(0, 100)}\``).join(', ')}`,
    configured.length === 0 ? 'leave `scope` out' : `a caller may ask for ${configured.join(' ')}`,
  )
}

function readWish(query: URLSearchParams): TokenWish {
  const unknown = [...query.keys()].filter((name) => !QUERY.includes(name))
  if (unknown.length > 0) {
    throw new AdminProblem(
      400,
      `unknown parameters: ${unknown.map((name) => `\`${name.slice(0, 50)}\``).join(', ')}`,
      `known are ${QUERY.join(', ')}`,
    )
  }
  for (const name of QUERY) {
    if (query.getAll(name).length > 1) throw new AdminProblem(400, `\`${name}\` is there twice`)
  }
  const written = query.get('minValidSeconds')
  const seconds = written === null ? undefined : Number(written)
  if (written !== null && !(/^\d{1,6}$/.test(written) && Number(written) <= MAX_VALID_SECONDS)) {
    throw new AdminProblem(
      400,
      `\`minValidSeconds\` must be whole seconds, 0 to ${MAX_VALID_SECONDS}`,
    )
  }
  const scopes = query.get('scope')?.split(' ').filter(Boolean) ?? []
  const audience = query.get('audience')
  const subject = query.get('subject')
  return {
    ...(seconds !== undefined && { minValidSeconds: seconds }),
    ...(query.get('strict') === 'true' && { strict: true }),
    ...(scopes.length > 0 && { scopes }),
    ...(audience && { audience }),
    ...(subject && { subject }),
  }
}

async function getToken(
  connections: Connections,
  name: string,
  wish: TokenWish,
  signal: AbortSignal,
): Promise<ConnectionToken> {
  try {
    return await connections.getToken(name, { ...wish, signal })
  } catch (error) {
    if (!(error instanceof TokenUnavailable)) throw error
    throw unavailable(error)
  }
}

/** 503 for what passes by itself, 502 for what somebody must set right. */
function unavailable({ connection, failure, nextAttemptAt }: TokenUnavailable): AdminProblem {
  const { kind, retryAfterSeconds } = failure
  const passes = kind === 'temporary' || kind === 'network' || kind === 'rate'
  return new AdminProblem(
    passes ? 503 : 502,
    `no token for connection \`${connection}\`: ${failure.cause}`,
    failure.fix,
    retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
    {
      failure: failureJson(failure),
      ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    },
  )
}
