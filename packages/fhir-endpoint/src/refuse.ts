import { type Check, completeChecks } from '@scopegate/checks'
import type { AccessRequest } from '@scopegate/smart-scopes'
import { type Reply, refusedReply } from './reply.ts'
import type { Step } from './step.ts'

/** Refused by `checks`, which come after those made so far. */
export function refuse(step: Step, checks: readonly Check[], challengeScope?: string): Reply {
  step.trail.push(...checks)
  return refusedReply(step.call, completeChecks(step.trail), {
    realm: step.endpoint.baseUrl,
    dpopAlgorithms: step.endpoint.dpopAlgorithms,
    callers: step.endpoint.callers,
    schemes: step.endpoint.schemes,
    ...(challengeScope === undefined ? {} : { scope: challengeScope }),
  })
}

/**
 * Asks whether the token permits the interaction at all. The refusal, or `undefined` when it does;
 * which instances it reaches is the backend's to judge.
 */
export function refuseInteraction(step: Step, request: AccessRequest): Reply | undefined {
  const decision = step.caller.decide(request)
  if (!decision.allowed) return refuse(step, decision.checks, decision.challengeScope)
  step.trail.push(...decision.checks)
  return undefined
}
