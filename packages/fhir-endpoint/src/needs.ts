import { joinedTypes, parseSearch } from '@scopegate/fhir-model'
import type { NeededScopes, Needs, NeedsRequest } from '@scopegate/oauth-model'
import {
  CONTEXTS,
  compileAccess,
  describeScope,
  INTERACTION_LETTERS,
  parseScope,
} from '@scopegate/smart-scopes'
import type { Call } from './call.ts'
import { createCaller } from './caller.ts'
import { classify, type Interaction } from './classify.ts'
import { callOf, type ExplainDeps, PUBLIC, relativeTo } from './explain.ts'
import type { OfType } from './explain-instance.ts'
import { negotiate } from './negotiate.ts'
import { parseTarget } from './parse-target.ts'
import { refuseInteraction } from './refuse.ts'
import { prepareSearch } from './search.ts'
import type { Step } from './step.ts'
import { tokenFromClaims } from './token-from-claims.ts'

type Context = (typeof CONTEXTS)[number]

/** Search parameters that say what kind of data it is, and so may stand in a scope. */
const KINDS = new Set([
  'category',
  'class',
  'clinical-status',
  'code',
  'intent',
  'status',
  'type',
  'verification-status',
  '_profile',
  '_security',
  '_tag',
])

/** Of whom a token would be, for whom such a scope is; the ids are of nobody. */
const HOLDERS: Readonly<Record<Context, Readonly<Record<string, string>>>> = {
  patient: { patient: 'example' },
  user: { fhirUser: 'Practitioner/example' },
  system: {},
}

/**
 * The scopes that a request would need, the smallest first. Each one was tried under the policy of
 * this endpoint; data are not looked at, so an instance may still be outside them.
 */
export function createNeeds(options: ExplainDeps): (request: NeedsRequest) => Promise<Needs> {
  const { deps, endpoint, expected, basePath, now } = options
  const common = {
    audiences: expected.audiences,
    issuers: expected.issuers,
    settings: { audiences: 'fhir.r4.audiences', trust: 'fhir.r4.trust' },
  }
  const nothing = (note: string, isPublic = false): Needs => ({
    ...common,
    public: isPublic,
    scopes: [],
    notes: [note],
  })

  /** Whether a token with these scopes would get past everything that needs no data. */
  function suffices(scopes: readonly string[], context: Context, call: Call, of: OfType): boolean {
    const claims = { scope: scopes.join(' '), ...HOLDERS[context] }
    const { token, checks } = tokenFromClaims(claims, expected)
    const negotiated = negotiate(call)
    if (token === undefined || !negotiated.ok) return false
    // A RelatedPerson's patients are data; a practitioner has none.
    const compiled = compileAccess({ ...token, userPatients: [] }, deps.policy)
    const caller = createCaller(token, compiled, checks)
    const { wishes } = negotiated
    const step: Step = { call, caller, wishes, endpoint, trail: [] }
    if (refuseInteraction(step, { interaction: of.kind, type: of.type })) return false
    return of.kind !== 'search-type' || prepareSearch(step, of.type, call.query).ok
  }

  return async (request) => {
    const method = request.method.toUpperCase()
    const target = parseTarget(relativeTo(request.path, basePath, endpoint.baseUrl))
    if (!target.ok) return nothing(`the address is refused: ${target.why}`)
    const classified = classify(method, target.segments)
    if (!classified.ok) return nothing(`${classified.why}; ${classified.fix}`)
    const { interaction } = classified
    if (PUBLIC.has(interaction.kind)) return nothing('this needs no token', true)
    if (!isOfType(interaction)) {
      return nothing('each entry needs what it would need alone: ask for them one by one')
    }
    const call = callOf({ ...request, method }, target, now())
    const found = CONTEXTS.flatMap((context) =>
      candidatesFor(context, call, interaction, endpoint.settings.defaultCount)
        .filter((scopes) => suffices(scopes, context, call, interaction))
        .map((scopes): NeededScopes => ({ scopes, what: wordsOf(scopes) })),
    )
    const notes = notesOn(call, interaction)
    if (found.length === 0) notes.push('no scope permits this: explain it to see why')
    else if (!found.some(({ scopes }) => scopes[0]?.startsWith('user/'))) {
      notes.push('`user/` scopes reach nothing of it here: see `fhir.r4.userPolicy`')
    }
    return { ...common, public: false, scopes: found, notes }
  }
}

function isOfType(interaction: Interaction): interaction is OfType {
  return 'type' in interaction
}

/** Sets of scopes to try, the smallest first; which of them serve is seen by trying. */
function candidatesFor(
  context: Context,
  call: Call,
  { kind, type }: OfType,
  defaultCount: number,
): readonly (readonly string[])[] {
  const whole = `${context}/${type}.${INTERACTION_LETTERS[kind]}`
  if (kind !== 'search-type') {
    const granular = describeScope(whole).categories?.map(({ scope }) => [scope]) ?? []
    return [...granular, [whole]]
  }
  const joined = joinedBy(call, type, defaultCount).map((each) => `${context}/${each}.s`)
  const narrow = call.query
    .filter(([name]) => KINDS.has(name))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .map((constraint) => `${whole}?${constraint}`)
    .filter((scope) => parseScope(scope).ok)
  return [...narrow, whole].map((scope) => [...new Set([scope, ...joined])])
}

/** Types that the search looks into; of a chain that may lead to several, one is enough. */
function joinedBy(call: Call, type: string, defaultCount: number): readonly string[] {
  const parsed = parseSearch(type, call.query, {
    strict: false,
    defaultCount,
    maxCount: defaultCount,
    baseUrl: '',
    nowMs: call.startedAtMs,
  })
  if (!parsed.ok) return []
  const byWay = Map.groupBy(joinedTypes(parsed.query), ({ via }) => via)
  return [...byWay.values()].flatMap((ways) => {
    const types = ways.map((way) => way.type)
    return ways[0]?.explicit ? types : [types.find((each) => each === 'Patient') ?? types[0]!]
  })
}

function wordsOf(scopes: readonly string[]): string {
  return scopes.map((scope) => describeScope(scope).title).join('; ')
}

function notesOn(call: Call, { kind, type }: OfType): string[] {
  const includes = call.query.filter(([name]) => /^_(?:rev)?include/.test(name))
  return [
    ...includes.map(([name, value]) => {
      const shown = `${name}=${value}`.slice(0, 120)
      return `\`${shown}\` is left out of the answer unless the included type is granted too (\`.r\`, or \`.s\` for a reverse include)`
    }),
    ...(kind === 'search-type'
      ? []
      : [`which ${type} it is, and whether it fits, is not looked at`]),
  ]
}
