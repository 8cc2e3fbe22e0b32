import { parseScopes } from '@scopegate/smart-scopes'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { invalidRequest, invalidScope, invalidTarget, tooManyRequests } from '../engine-errors.ts'
import { candidateScopes } from '../grants/candidate-scopes.ts'
import { ACCESS_TOKEN_ALGORITHM } from '../keys/generate-signing-key.ts'
import {
  apiScopesOf,
  defaultResource,
  findResource,
  type ProtectedResource,
  withoutFinalSlash,
} from '../resources.ts'
import { grantScopes, isFatal, type ScopeRemark } from '../token/grant-scopes.ts'
import { describable } from '../token/token-refusal.ts'
import { factsOf } from './engine-client.ts'
import type { EngineDeps, RequestState } from './engine-deps.ts'

/**
 * Scopes longer than this go into an opaque token: with them a JWT would not fit into the 8 KiB that
 * many servers and proxies allow for all headers.
 */
const MAX_JWT_SCOPE_BYTES = 4096

/** How the engine learns which API a request is for, and what its tokens may hold. */
export function resourceIndicators(deps: EngineDeps) {
  return {
    enabled: true,
    useGrantedResource: () => true,
    defaultResource: (ctx: KoaContextWithOIDC) =>
      ctx.oidc.route === 'token' ? chooseResource(ctx, deps) : readAudience(ctx, deps),
    async getResourceServerInfo(ctx: KoaContextWithOIDC, resource: string) {
      if (ctx.oidc.route !== 'token') return describeRequest(ctx, resource, deps)
      return ctx.oidc.params?.grant_type === 'client_credentials'
        ? grantToClient(ctx, resource, deps)
        : describeGranted(ctx, resource, deps)
    },
  }
}

/** The resource of a request that sends no `resource`: its `aud`, as SMART spells it, or the only one. */
function chooseResource(ctx: KoaContextWithOIDC, deps: EngineDeps): string {
  const { aud } = (ctx.oidc.body ?? {}) as { aud?: unknown }
  if (typeof aud === 'string' && aud !== '') return aud
  const scopes = scopeParameter(ctx) ?? factsOf(ctx.oidc.client).scopes
  return (
    defaultResource(scopes, deps.resources) ??
    findResource('none that is the default', deps.resources)
  ).url
}

/** The audience of an authorization request. @see SMART 2.2: `aud` is required */
function readAudience(ctx: KoaContextWithOIDC, deps: EngineDeps): string {
  const aud = sentAudience(ctx, deps)
  if (aud !== undefined) return aud
  const named = defaultResource(scopeParameter(ctx) ?? '', deps.resources)
  if (named?.kind === 'api') return named.url
  const fhir = deps.resources.filter(({ kind }) => kind === 'fhir').map(({ url }) => url)
  if (!isClinical(scopeParameter(ctx) ?? '') && fhir[0] !== undefined) return fhir[0]
  const expected = fhir.join(' or ')
  throw invalidRequest({
    code: 'aud_missing',
    expected,
    got: 'neither aud nor resource',
    fix: `set aud=${expected}`,
    told: `aud is missing: set it to the FHIR server that the scopes are for, ${expected}`,
  })
}

/** `aud` of the request; of a request object, and of a pushed one, it is the issuer by definition. */
function sentAudience(ctx: KoaContextWithOIDC, { issuer }: EngineDeps): string | undefined {
  const aud = ctx.oidc.params?.aud
  return typeof aud === 'string' && aud !== '' && aud !== issuer ? aud : undefined
}

/** Both parameters may come, if they say the same. For the engine's `extraParams`. */
export function checkAudience(ctx: KoaContextWithOIDC, deps: EngineDeps): void {
  const aud = sentAudience(ctx, deps)
  const resource = ctx.oidc.params?.resource
  if (aud === undefined || typeof resource !== 'string') return
  if (withoutFinalSlash(aud) === withoutFinalSlash(resource)) return
  throw invalidTarget('aud and resource name different servers: send one of them', {
    code: 'resource_unknown',
    expected: resource,
    got: aud.slice(0, 200),
    fix: 'send `aud` or `resource`, not both',
  })
}

function isClinical(scopes: string): boolean {
  const { scopes: parsed, problems } = parseScopes(scopes)
  return problems.length > 0 || parsed.some(({ kind }) => kind === 'resource')
}

/** An authorization request: whether anything of it can be granted at all. */
function describeRequest(ctx: KoaContextWithOIDC, requested: string, deps: EngineDeps) {
  const resource = findResource(requested, ofUsers(deps))
  const { params, client, route } = ctx.oidc
  if (params === undefined) throw new Error('there is no request')
  if (Array.isArray(params.resource) && params.resource.length > 1) {
    throw invalidTarget('a launch is for one FHIR server: send one resource', {
      code: 'resource_unknown',
      expected: resource.url,
      got: `${params.resource.length} resources`,
      fix: 'send `resource` once',
    })
  }
  // However it was spelled, the grant and its tokens know it by one name.
  params.resource = resource.url
  const isFirst = route !== 'resume' && route !== 'device_resume'
  if (isFirst) {
    countStart(ctx, deps)
    const { scopes } = factsOf(client)
    const asked = scopeParameter(ctx) ?? ''
    const { candidates, remarks } = candidateScopes({
      requested: asked,
      client: { scopes },
      resource,
    })
    if (candidates.length === 0) throw noScope(remarks, scopes)
    ;(ctx.state as RequestState).remarks = remarks
  }
  return serverInfo(scopeParameter(ctx) ?? '', resource, 'jwt', deps.userAccessTokenSeconds)
}

/**
 * Nobody is known yet, and every request is kept until its time is over: without a limit anybody
 * could fill the storage. Told here and not to the app, since the user is the one who has to wait.
 */
function countStart(ctx: KoaContextWithOIDC, { starts }: EngineDeps): void {
  const { address } = ctx.state as RequestState
  const wait = starts.retryAfterSeconds(address)
  if (wait === undefined) {
    starts.count(address)
    return
  }
  ctx.set('Retry-After', String(wait))
  const told = `more than ${starts.perMinute} sign-ins were begun from this address within a minute: wait ${wait} s; the operator sets limits.signInStartsPerMinute`
  throw Object.assign(tooManyRequests(wait, { code: 'too_many_requests', told }), {
    allow_redirect: false,
  })
}

/** Users sign in for everything but the admin API, which is for programs. */
function ofUsers({ resources }: EngineDeps): readonly ProtectedResource[] {
  return resources.filter(({ kind }) => kind !== 'admin')
}

/** A token for what a user granted: exactly that, or what a refresh narrowed it to. */
function describeGranted(ctx: KoaContextWithOIDC, requested: string, deps: EngineDeps) {
  const state = ctx.state as RequestState
  const { AuthorizationCode, RefreshToken, DeviceCode } = ctx.oidc.entities
  const granted = (AuthorizationCode ?? RefreshToken ?? DeviceCode)?.scope ?? ''
  const resource = findResource(requested, ofUsers(deps))
  state.audience = resource.url
  const scope = state.narrowedScope ?? granted
  const format = Buffer.byteLength(scope) > MAX_JWT_SCOPE_BYTES ? 'opaque' : 'jwt'
  const seconds = factsOf(ctx.oidc.client).accessTokenSeconds ?? deps.userAccessTokenSeconds
  return serverInfo(granted, resource, format, seconds)
}

/** Client credentials. Runs once for a request, when the client is authenticated. */
function grantToClient(ctx: KoaContextWithOIDC, requested: string, deps: EngineDeps) {
  const state = ctx.state as RequestState
  const client = ctx.oidc.client
  const wait = deps.limits.succeeded(state.address, client?.clientId ?? '')
  if (wait !== undefined) {
    throw tooManyRequests(wait, {
      code: 'too_many_requests',
      told: `more than ${deps.limits.requestsPerMinute} token requests per minute of this client: wait ${wait} s, and use each token until it expires; the operator sets limits.tokenRequestsPerMinute`,
    })
  }

  const facts = factsOf(client)
  const resource = findResource(requested, deps.resources)
  const { granted, remarks } = grantScopes(
    scopeParameter(ctx),
    facts.scopes,
    resource.kind,
    deps.openidOnClientCredentials,
    {
      own: resource.scopes?.map(({ scope }) => scope).join(' ') ?? '',
      all: apiScopesOf(deps.resources).join(' '),
    },
  )
  if (granted.length === 0 || remarks.some(isFatal)) throw noScope(remarks, facts.scopes)

  // The engine issues the part of the request that is listed here, so the request becomes it.
  const scope = granted.join(' ')
  ctx.oidc.params!.scope = scope
  state.remarks = remarks
  state.audience = resource.url
  const seconds = Math.min(facts.accessTokenSeconds ?? Infinity, deps.accessTokenSeconds)
  return serverInfo(scope, resource, 'jwt', seconds)
}

export function serverInfo(
  scope: string,
  resource: ProtectedResource,
  accessTokenFormat: 'jwt' | 'opaque',
  accessTokenTTL: number,
) {
  return {
    scope,
    audience: resource.url,
    accessTokenFormat,
    accessTokenTTL,
    jwt: { sign: { alg: ACCESS_TOKEN_ALGORITHM as 'ES256' } },
  }
}

export function noScope(remarks: readonly ScopeRemark[], registered: string): Error {
  const worst = remarks.find(isFatal) ?? remarks[0]
  const listed = remarks.map(({ scope, reason, fix }) => `${scope}: ${reason}; ${fix}`).join(' | ')
  const told =
    worst === undefined
      ? `no scope of this API is asked for, or the client is registered for none: it has ${registered}`
      : `no scope can be granted: ${listed}`
  return invalidScope(describable(told), {
    code: worst?.code ?? 'scope_of_other_resource',
    expected: registered,
    got: remarks.map(({ scope }) => scope).join(' '),
    fix: worst?.fix ?? 'set `resource` to the API that the scopes are for',
    told,
  })
}

export function scopeParameter(ctx: KoaContextWithOIDC): string | undefined {
  const scope = ctx.oidc.params?.scope
  return typeof scope === 'string' && scope.trim() !== '' ? scope : undefined
}
