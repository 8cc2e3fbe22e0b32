import { failed } from '@scopegate/checks'
import {
  allowedFor,
  type ParsedSearch,
  restrictTargets,
  type SearchQuery,
  searchParameter,
} from '@scopegate/fhir-model'
import { refuse, refuseInteraction } from './refuse.ts'
import { faultReply, type Reply } from './reply.ts'
import type { Step } from './step.ts'

export type DecidedSearch =
  | { readonly ok: true; readonly query: SearchQuery }
  | { readonly ok: false; readonly reply: Reply }

/**
 * Whether the caller may make this search. The type comes first: who may not search it learns
 * nothing of its parameters. Then what is wrong with the parameters, then the joins: a chain or
 * `_has` into a type that is not granted refuses the search, an include is left out (and refuses
 * it under strict handling).
 * @see enforcement rules 5.5, 5.6.1
 */
export function decideSearch(step: Step, type: string, parsed: ParsedSearch): DecidedSearch {
  const refusal = refuseInteraction(step, { interaction: 'search-type', type })
  if (refusal !== undefined) return { ok: false, reply: refusal }
  const { access } = step.caller
  const constrained = allowedFor(access, 's', type).kind !== 'all'

  if (!parsed.ok) {
    if (constrained && parsed.unsupported.length > 0) {
      const got = parsed.unsupported.map((name) => name.slice(0, 64)).join(', ')
      return { ok: false, reply: refuse(step, [failed('not_exact_under_constraint', { got })]) }
    }
    return { ok: false, reply: badParameters(step, parsed) }
  }

  const isGranted = (joined: string, need: 'search' | 'include'): boolean =>
    allowedFor(access, 's', joined).kind !== 'none' ||
    (need === 'include' && allowedFor(access, 'r', joined).kind !== 'none')
  const restricted = restrictTargets(parsed.query, isGranted)
  if (!restricted.ok) {
    const decision = step.caller.decide({
      interaction: 'search-type',
      type,
      joins: [
        {
          kind: restricted.via.startsWith('_has') ? 'has' : 'chain',
          types: restricted.types,
          text: restricted.via,
        },
      ],
    })
    const checks = decision.allowed ? [failed('join_not_granted')] : decision.checks
    return {
      ok: false,
      reply: refuse(step, checks, decision.allowed ? undefined : decision.challengeScope),
    }
  }
  const dropped = restricted.droppedIncludes[0]
  if (dropped !== undefined && step.wishes.handling === 'strict') {
    const check = failed('join_not_granted', {
      expected: includeNeeds(dropped),
      got: `${dropped[0]}=${dropped[1]}`.slice(0, 120),
    })
    return { ok: false, reply: refuse(step, [check]) }
  }
  return { ok: true, query: restricted.query }
}

function includeNeeds([name, value]: readonly [string, string]): string {
  const [source = '*', param = '*', target] = value.split(':')
  if (name.startsWith('_revinclude')) return `${source}.s`
  const targets = target === undefined ? searchParameter(source, param)?.targets : [target]
  return (targets ?? ['*'])
    .slice(0, 5)
    .map((type) => `${type}.r`)
    .join(' or ')
}

function badParameters(step: Step, parsed: Extract<ParsedSearch, { ok: false }>): Reply {
  return faultReply(
    step.call,
    400,
    parsed.problems.slice(0, 20).map((problem) => ({
      code: problem.kind === 'not-supported' ? 'not-supported' : 'value',
      text: `\`${problem.param}\`: ${problem.why}`,
      fix: problem.fix,
    })),
  )
}
