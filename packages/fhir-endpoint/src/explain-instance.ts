import { type Check, failed, passed } from '@scopegate/checks'
import {
  type Access,
  allowedFor,
  compilePredicate,
  type FhirBackend,
  parseResource,
} from '@scopegate/fhir-model'
import { describePredicate } from '@scopegate/smart-scopes'
import type { Interaction } from './classify.ts'
import { readReply } from './read.ts'
import type { Reply } from './reply.ts'
import type { Step } from './step.ts'

export type Judged = Pick<Reply, 'status'> & { readonly checks: readonly Check[] }
export type OfType = Extract<Interaction, { readonly type: string }>

/**
 * What the instance and the body add to a decision, found by looking and never by writing. A
 * refused write tells a hidden instance from one that is visible and not writable.
 */
export async function judgeInstance(
  step: Step,
  interaction: OfType,
  body: string | undefined,
): Promise<Judged> {
  const { backend } = step.endpoint
  const { access } = step.caller
  switch (interaction.kind) {
    case 'read':
      return judged(readReply(step, await backend.read(interaction, access)))
    case 'vread':
      return judged(
        readReply(step, await backend.readVersion(interaction, interaction.versionId, access)),
      )
    case 'history-instance': {
      const answer = await backend.history(interaction, { count: 1 }, access)
      return answer.kind === 'absent'
        ? { status: 404, checks: answer.checks }
        : { status: 200, checks: SEEN }
    }
    case 'create':
      return judgeBody(step, 'c', interaction.type, body) ?? { status: 201, checks: [] }
    case 'update':
    case 'delete': {
      const letter = interaction.kind === 'update' ? 'u' : 'd'
      const stored = await judgeStored(backend, access, letter, interaction)
      if (stored !== undefined) return stored
      const refused = letter === 'u' ? judgeBody(step, 'u', interaction.type, body) : undefined
      return refused ?? { status: letter === 'u' ? 200 : 204, checks: SEEN }
    }
    case 'search-type':
      throw new TypeError('a search has no instance')
  }
}

const SEEN: readonly Check[] = [passed('compartment'), passed('constraint')]

function judged({ status, checks }: Reply): Judged {
  return { status, checks: checks ?? SEEN }
}

/** What stands in the way of writing the stored version; `undefined` when nothing does. */
async function judgeStored(
  backend: FhirBackend,
  access: Access,
  letter: 'u' | 'd',
  key: { readonly type: string; readonly id: string },
): Promise<Judged | undefined> {
  const writable = await backend.read(key, {
    ...access,
    allowed: { ...access.allowed, r: access.allowed[letter] },
  })
  if (writable.kind !== 'absent') return undefined
  const absentStatus = letter === 'u' ? 405 : 404
  for (const seeing of ['r', 's'] as const) {
    const seen = await backend.read(key, {
      ...access,
      allowed: { ...access.allowed, r: access.allowed[seeing] },
    })
    if (seen.kind !== 'absent') {
      return {
        status: 403,
        checks: [failed('stored_not_writable', { expected: `${key.type}.${letter}` })],
      }
    }
  }
  return { status: absentStatus, checks: writable.checks }
}

/** Judges a submitted body as far as that needs no other resource. */
function judgeBody(
  step: Step,
  letter: 'c' | 'u',
  type: string,
  body: string | undefined,
): Judged | undefined {
  if (body === undefined) return undefined
  const parsed = parseResource(body)
  if (!parsed.ok || parsed.resource.resourceType !== type) return { status: 400, checks: [] }
  const predicate = allowedFor(step.caller.access, letter, type)
  const matcher = compilePredicate(type, predicate, { base: step.endpoint.baseUrl })
  if (!matcher.sync || matcher.test(parsed.resource, {})) return undefined
  const expected = describePredicate(predicate)
  return { status: 403, checks: [failed('body_outside_constraint', { expected })] }
}
