import { type Check, callerView, completeChecks } from '@scopegate/checks'
import { newCorrelationId } from '@scopegate/http'
import type {
  ExpectedAudience,
  ExplainRequest,
  Explanation,
  VerifiedToken,
} from '@scopegate/oauth-model'
import { compileAccess, describePredicate } from '@scopegate/smart-scopes'
import type { Call } from './call.ts'
import { type Caller, createCaller } from './caller.ts'
import { classify, type Interaction } from './classify.ts'
import type { FhirEndpointDeps } from './deps.ts'
import { judgeInstance, type OfType } from './explain-instance.ts'
import { findUserPatients } from './find-user-patients.ts'
import { negotiate } from './negotiate.ts'
import { parseTarget } from './parse-target.ts'
import { refuseInteraction } from './refuse.ts'
import { prepareSearch } from './search.ts'
import type { EndpointContext, Step } from './step.ts'
import { tokenFromClaims } from './token-from-claims.ts'

export interface ExplainDeps {
  readonly deps: FhirEndpointDeps
  readonly endpoint: EndpointContext
  readonly expected: ExpectedAudience
  readonly basePath: string
  readonly now: () => number
  /** `false`: there is no backend to look into; what depends on data is left open. Default `true`. */
  readonly hasData?: boolean
}

/**
 * Goes the way of a request without carrying it out: no search is run and nothing is written. For
 * an address of one instance it looks whether it is there and why it may not be seen, which only
 * an operator may know.
 */
export function createExplain(
  options: ExplainDeps,
): (request: ExplainRequest) => Promise<Explanation> {
  const { deps, endpoint, expected, basePath, now } = options

  async function identify(request: ExplainRequest): Promise<{
    readonly token?: VerifiedToken
    readonly checks: readonly Check[]
    readonly asked?: Pick<Explanation, 'fingerprint' | 'issuer'>
  }> {
    if (request.claims !== undefined) return tokenFromClaims(request.claims, expected)
    const authorization = request.token === undefined ? undefined : `Bearer ${request.token}`
    const verdict = await deps.verifier.verify(authorization, expected, { isInspected: true })
    const { fingerprint, issuer } = (verdict.ok ? verdict.token : verdict.claimed) ?? {}
    return {
      ...(verdict.ok && { token: verdict.token }),
      checks: verdict.checks,
      asked: { ...(fingerprint && { fingerprint }), ...(issuer && { issuer }) },
    }
  }

  return async (request) => {
    const trail: Check[] = []
    const notes: string[] = []
    let asked: Pick<Explanation, 'fingerprint' | 'issuer'> = {}
    const end = (status: number, checks: readonly Check[] = []): Explanation => ({
      allowed: status < 400,
      status,
      checks: completeChecks([...trail, ...checks]),
      notes,
      ...asked,
    })
    const target = parseTarget(relativeTo(request.path, basePath, endpoint.baseUrl))
    if (!target.ok) {
      notes.push(`the address is refused: ${target.why}`)
      return end(400)
    }
    const classified = classify(request.method.toUpperCase(), target.segments)
    if (classified.ok && PUBLIC.has(classified.interaction.kind)) {
      notes.push('this needs no token')
      return end(200)
    }
    const identified = await identify(request)
    const { token, checks } = identified
    asked = identified.asked ?? {}
    trail.push(...checks)
    if (token === undefined) return end(callerView(checks)?.status ?? 401)
    if (!classified.ok) {
      notes.push(`${classified.why}; ${classified.fix}`)
      return end(classified.status)
    }
    const caller = await callerOf(token, checks, options)
    notes.push(...voidedNotes(caller))
    const call = callOf(request, target, now())
    const negotiated = negotiate(call)
    if (!negotiated.ok) {
      notes.push(`${negotiated.why}; ${negotiated.fix}`)
      return end(negotiated.status)
    }
    const step: Step = { call, caller, wishes: negotiated.wishes, endpoint, trail }
    const { interaction } = classified
    if (!('type' in interaction)) {
      notes.push('each entry is judged like a request of its own: explain them one by one')
      return end(200)
    }
    const { type } = interaction
    const refusal = refuseInteraction(step, { interaction: interaction.kind, type })
    if (refusal !== undefined) return end(refusal.status)
    const { letter, predicate } = grantedBy(caller, interaction)
    notes.push(`${type}.${letter}: ${describePredicate(predicate)}`)
    if (interaction.kind === 'search-type') {
      const prepared = prepareSearch(step, type, call.query)
      return prepared.ok ? end(200) : end(prepared.reply.status, prepared.reply.checks)
    }
    if (
      request.body === undefined &&
      (interaction.kind === 'create' || interaction.kind === 'update')
    ) {
      notes.push('without the body it is not said whether the scopes permit its content')
    }
    if (options.hasData === false) {
      notes.push('no data at hand: whether the instance is there and fits is not said')
      return end(interaction.kind === 'create' ? 201 : 200)
    }
    const ended = await judgeInstance(step, interaction, request.body)
    return end(ended.status, ended.checks)
  }
}

/** What needs no token. */
export const PUBLIC = new Set<Interaction['kind']>([
  'capabilities',
  'smart-configuration',
  'options',
])

async function callerOf(
  token: VerifiedToken,
  checks: readonly Check[],
  { deps, endpoint }: ExplainDeps,
): Promise<Caller> {
  const userPatients = await findUserPatients(token, deps.backend, endpoint.baseUrl)
  return createCaller(token, compileAccess({ ...token, userPatients }, deps.policy), checks)
}

function grantedBy(caller: Caller, interaction: OfType) {
  const decision = caller.decide({ interaction: interaction.kind, type: interaction.type })
  if (!decision.allowed) throw new TypeError('a refused interaction has no limits')
  return decision
}

function voidedNotes({ compiled }: Caller): readonly string[] {
  return compiled.voided.map(
    ({ scope, why, fix }) => `scope \`${scope}\` grants nothing: ${why}; ${fix}`,
  )
}

/** The call that such a request would be. */
export function callOf(
  request: Pick<ExplainRequest, 'method' | 'body'>,
  target: Extract<ReturnType<typeof parseTarget>, { ok: true }>,
  startedAtMs: number,
): Call {
  const text = request.body ?? ''
  return {
    correlationId: newCorrelationId(startedAtMs),
    startedAtMs,
    method: request.method.toUpperCase(),
    target: target.target,
    segments: target.segments,
    query: target.query,
    header: () => undefined,
    repeatedHeaders: [],
    body: async () => ({ ok: true, text, bytes: text.length }),
    corsHeaders: {},
  }
}

/** The address below the base; unchanged when it is elsewhere. */
export function relativeTo(address: string, basePath: string, baseUrl: string): string {
  for (const base of [baseUrl, basePath]) {
    const rest = address.slice(base.length)
    if (address.startsWith(base) && (rest === '' || rest[0] === '/' || rest[0] === '?')) return rest
  }
  return address
}
