import { randomUUID } from 'node:crypto'
import {
  type CorsPolicy,
  correlationIdOf,
  corsHeaders,
  createClientAddress,
  type FaultForm,
  type Handler,
  preflight,
} from '@scopegate/http'
import type { MountedExplainer, TokenVerdict, VerifiedToken } from '@scopegate/oauth-model'
import { type AuthenticateDeps, authenticate } from './authenticate.ts'
import { performBundle } from './batch.ts'
import { type Call, openCall } from './call.ts'
import { createCallers } from './caller.ts'
import { type Classified, classify, type Interaction } from './classify.ts'
import { createCursorSeal } from './cursor.ts'
import type { FhirEndpointDeps } from './deps.ts'
import type { BundleDone } from './entry-step.ts'
import { createExplain } from './explain.ts'
import { createMetadata } from './metadata.ts'
import { createNeeds } from './needs.ts'
import { negotiate } from './negotiate.ts'
import { parseTarget } from './parse-target.ts'
import { perform } from './perform.ts'
import { type Occurrence, recordAccess, recordTrace } from './record.ts'
import { faultReply, type Reply, refusedReply } from './reply.ts'
import { CORS, FHIR_JSON, respond } from './respond.ts'
import { DEFAULT_SETTINGS } from './settings.ts'
import type { EndpointContext, Step } from './step.ts'
import { thrownReply } from './thrown-reply.ts'
import { unreadFault } from './unread-fault.ts'

export interface FhirEndpoint extends MountedExplainer {
  /** Paths it answers, for the router. */
  readonly routes: readonly string[]
  /** How the HTTP server words what it refuses below the base. */
  readonly faultForms: readonly FaultForm[]
  readonly fetch: Handler
}

/**
 * The FHIR REST face of a backend: authenticate → classify → decide → backend → respond → record.
 * Every request leaves a row in the audit and a trace; every refusal says which check failed.
 * Limits on the number of requests are somebody else's.
 * @see https://hl7.org/fhir/R4/http.html
 */
export function createFhirEndpoint(deps: FhirEndpointDeps): FhirEndpoint {
  const baseUrl = deps.baseUrl.replace(/\/+$/, '')
  const basePath = new URL(baseUrl).pathname.replace(/\/$/, '')
  const now = deps.now ?? Date.now
  const expected = {
    audiences: [...new Set([baseUrl, ...(deps.audiences ?? [])])],
    issuers: deps.issuers,
  }
  const endpoint: EndpointContext = {
    baseUrl,
    backend: deps.backend,
    cursors: createCursorSeal(deps.cursorKey),
    settings: { ...DEFAULT_SETTINGS, ...deps.settings },
    dpopAlgorithms: deps.verifier.dpopAlgorithms,
    callers: deps.callers,
    schemes: { basic: deps.basic !== undefined, tokens: deps.takesTokens !== false },
    newId: deps.newId ?? randomUUID,
    onError: deps.onError ?? (() => undefined),
  }
  const onError = endpoint.onError
  const authenticating: AuthenticateDeps = {
    ...{ verifier: deps.verifier, expected, baseUrl, now },
    ...(deps.basic !== undefined && { basic: deps.basic }),
    ...(deps.takesTokens !== undefined && { takesTokens: deps.takesTokens }),
  }
  const addressOf = deps.addressOf ?? createClientAddress().of
  const callers = createCallers({ policy: deps.policy, backend: deps.backend, baseUrl, now })
  const metadata = createMetadata(deps, endpoint, now())

  async function fetch(request: Request): Promise<Response> {
    const startedAtMs = now()
    const correlationId = correlationIdOf(request, startedAtMs)
    const parsed = parseTarget(pathBelow(request.url, basePath))
    const isPublic = parsed.ok && PUBLIC.has(parsed.segments.join('/'))
    const policy = isPublic ? CORS : await corsPolicy(request)
    const common = {
      ...{ correlationId, startedAtMs, addressOf },
      corsHeaders: corsHeaders(request, policy),
    }
    const call = parsed.ok
      ? openCall(request, {
          ...common,
          target: parsed.target,
          segments: parsed.segments,
          query: parsed.query,
        })
      : openCall(request, { ...common, target: '', segments: [], query: [] })
    const classified: Classified = parsed.ok
      ? classify(call.method, parsed.segments)
      : {
          ok: false,
          status: 400,
          why: parsed.why,
          fix: 'percent-encode the address once, without `.` and empty segments',
        }

    if (classified.ok) {
      const answer = answerPublicly(request, call, classified.interaction, policy)
      if (answer !== undefined) return answer
    }
    const state: State = { trail: [], pretty: false }
    let reply: Reply
    try {
      reply = await answerPrivately(request, call, classified, state)
    } catch (error) {
      reply = thrownReply(call, error, baseUrl, endpoint.callers)
      if (reply.status >= 500) onError(error, correlationId)
    }
    if (state.dpopNonce !== undefined) {
      reply = { ...reply, headers: { ...reply.headers, 'DPoP-Nonce': state.dpopNonce } }
    }
    return respond(call, await record(call, classified, state, reply), state.pretty)
  }

  /** What pages of the request's origin may do; nothing is asked for a request without one. */
  async function corsPolicy(request: Request): Promise<CorsPolicy> {
    const origin = request.headers.get('origin')
    if (origin === null || deps.isOriginAllowed === undefined) return CORS
    return { ...CORS, origins: (await deps.isOriginAllowed(origin)) ? [origin] : [] }
  }

  /** What needs no token; `undefined` for everything else. */
  function answerPublicly(
    request: Request,
    call: Call,
    interaction: Interaction,
    policy: CorsPolicy,
  ): Response | Promise<Response> | undefined {
    if (interaction.kind === 'options') return preflight(request, policy, interaction.allow)
    if (interaction.kind === 'smart-configuration' && deps.smartConfiguration !== undefined) {
      return deps.smartConfiguration(request)
    }
    if (interaction.kind !== 'capabilities') return undefined
    const { reply, pretty } = metadata(call)
    return respond(call, reply, pretty)
  }

  async function answerPrivately(
    request: Request,
    call: Call,
    classified: Classified,
    state: State,
  ): Promise<Reply> {
    const verdict = await authenticate(call, authenticating)
    state.trail.push(...verdict.checks)
    state.dpopNonce = verdict.dpopNonce
    if (!verdict.ok) {
      state.claimed = verdict.claimed
      deps.onAuthenticationFailure?.(request)
      const { dpopAlgorithms, schemes, callers: detail } = endpoint
      const { retryAfterSeconds } = verdict
      return refusedReply(call, verdict.checks, {
        realm: baseUrl,
        ...{ dpopAlgorithms, schemes },
        callers: detail,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      })
    }
    state.token = verdict.token
    if (!classified.ok) {
      const { status, why, fix, allow } = classified
      const code = status === 404 ? 'not-found' : status === 405 ? 'not-supported' : 'invalid'
      return faultReply(
        call,
        status,
        { code, text: why, fix },
        allow === undefined ? {} : { Allow: allow.join(', ') },
      )
    }
    const negotiated = negotiate(call)
    if (!negotiated.ok) {
      const { status, why, fix } = negotiated
      return faultReply(call, status, { code: 'not-supported', text: why, fix })
    }
    const { wishes } = negotiated
    state.pretty = wishes.pretty
    const caller = await callers.of(verdict.token, verdict.checks)
    const step: Step = { call, caller, wishes, endpoint, trail: state.trail }
    const { interaction } = classified
    switch (interaction.kind) {
      case 'batch': {
        const done = await performBundle(step)
        state.bundle = done
        return done.reply
      }
      case 'options':
      case 'capabilities':
      case 'smart-configuration':
        return faultReply(call, 404, {
          code: 'not-found',
          text: 'this is not offered here',
          fix: '/metadata lists what is offered',
        })
      default:
        return perform(step, interaction)
    }
  }

  /** A request whose audit row is required and cannot be written has failed. */
  async function record(
    call: Call,
    classified: Classified,
    state: State,
    reply: Reply,
  ): Promise<Reply> {
    const interaction = classified.ok ? classified.interaction : undefined
    const known = {
      ...(state.token === undefined ? {} : { token: state.token }),
      ...(state.claimed === undefined ? {} : { claimed: state.claimed }),
    }
    const whole: Occurrence = {
      call,
      reply,
      interaction: state.bundle?.kind ?? interaction?.kind ?? 'unknown',
      ...instanceOf(interaction),
      ...known,
      trail: state.trail,
    }
    const entries = (state.bundle?.entries ?? []).map(
      (done): Occurrence => ({
        call: done.step.call,
        reply: done.reply,
        interaction: done.interaction?.kind ?? 'unknown',
        ...instanceOf(done.interaction),
        ...known,
        trail: done.step.trail,
      }),
    )
    recordTrace(deps.traces, baseUrl, whole, now())
    for (const entry of entries) {
      if (entry.reply.outcome !== 'permitted') recordTrace(deps.traces, baseUrl, entry, now())
    }
    // Nobody has come near the data, and nobody is named: that is for the traces, which are bounded.
    if (state.token === undefined && state.claimed === undefined) return reply
    try {
      const written = [whole, ...entries].map((each) => recordAccess(deps.audit, baseUrl, each))
      if (written.some((each) => each !== undefined)) await Promise.all(written)
      return reply
    } catch (error) {
      onError(error, call.correlationId)
      return faultReply(
        call,
        503,
        {
          code: 'transient',
          text: 'the access could not be recorded, so it is not answered',
          fix: 'try again; after a write, read first: it may have been made',
        },
        { 'Retry-After': '5' },
      )
    }
  }

  const path = basePath === '' ? '/*' : `${basePath}/*`
  const explaining = { deps, endpoint, expected, basePath, now, hasData: deps.hasData ?? true }
  return {
    routes: [path],
    faultForms: [{ path, contentType: FHIR_JSON, body: unreadFault }],
    fetch,
    url: baseUrl,
    explain: createExplain(explaining),
    needs: createNeeds(explaining),
  }
}

function instanceOf(interaction: Interaction | undefined): { type?: string; id?: string } {
  return {
    ...(interaction !== undefined && 'type' in interaction ? { type: interaction.type } : {}),
    ...(interaction !== undefined && 'id' in interaction ? { id: interaction.id } : {}),
  }
}

/** What becomes known of a request on the way. */
interface State {
  readonly trail: Step['trail']
  token?: VerifiedToken
  claimed?: Extract<TokenVerdict, { ok: false }>['claimed'] | undefined
  bundle?: BundleDone
  /** For the next proof of possession. */
  dpopNonce?: string | undefined
  pretty: boolean
}

/** What needs no token, and is open to pages of every origin. @see SMART 2.2 on CORS */
const PUBLIC: ReadonlySet<string> = new Set(['metadata', '.well-known/smart-configuration'])

/** Path below the base, and query; whatever host the request named. */
function pathBelow(url: string, basePath: string): string {
  const pathStart = url.indexOf('/', url.indexOf('://') + 3)
  const fragment = url.indexOf('#', pathStart)
  const target = url.slice(pathStart, fragment === -1 ? undefined : fragment)
  const rest = target.slice(basePath.length)
  const isBelow = target.startsWith(basePath) && (rest === '' || '/?'.includes(rest[0]!))
  return isBelow ? rest : target
}
