import type { Submitted, TransactionOperation, TransactionResult } from '@scopegate/fhir-model'
import { responseBundle } from './bundle.ts'
import type { ReadEntry, RequestEntry } from './bundle-entries.ts'
import { entryResponse } from './entry-response.ts'
import { type EntryDone, stepOf } from './entry-step.ts'
import { negotiate } from './negotiate.ts'
import { readReply } from './read.ts'
import { refuseInteraction } from './refuse.ts'
import { faultReply, type Reply } from './reply.ts'
import { assignIdentities, rewriteReferences } from './resolve-references.ts'
import { restrictSearch } from './restrict.ts'
import { prepareSearch, searchReply } from './search.ts'
import type { Step } from './step.ts'
import { checkId, checkSubmitted } from './submitted-body.ts'
import { prepareCreate, prepareDelete, prepareUpdate } from './write.ts'
import { writeReply } from './write-reply.ts'

interface Prepared {
  readonly entry: RequestEntry
  readonly step: Step
  readonly operation: TransactionOperation
}

/**
 * All or nothing. Before anything is touched every entry is read, permitted by type and letter, and
 * valid; references to other entries become references to what these will be; then the backend
 * does it all in one transaction. A failure is one answer that names the entry.
 */
export async function transaction(
  step: Step,
  read: readonly ReadEntry[],
): Promise<{ readonly reply: Reply; readonly entries: readonly EntryDone[] }> {
  const malformed = read.find((each) => !each.ok)
  if (malformed !== undefined && !malformed.ok) {
    const { reply } = malformed
    // A malformed entry makes the whole malformed, whatever it would answer by itself.
    return failed(step, malformed.index, {
      ...reply,
      status: reply.status === 405 ? 400 : reply.status,
    })
  }
  const entries = read.flatMap((each) => (each.ok ? [each.entry] : []))
  const steps: Step[] = []
  for (const entry of entries) {
    const negotiated = negotiate(entry.call)
    if (!negotiated.ok) {
      const { status, why, fix } = negotiated
      return failed(
        step,
        entry.index,
        faultReply(entry.call, status, { code: 'value', text: why, fix }),
      )
    }
    steps.push({ ...stepOf(step, entry.call), wishes: negotiated.wishes })
  }
  for (const [index, { interaction }] of entries.entries()) {
    const refusal = refuseInteraction(steps[index]!, {
      interaction: interaction.kind,
      type: interaction.type,
    })
    if (refusal !== undefined) return failed(steps[index]!, index, refusal, interaction)
  }
  const twice = findRepeated(entries)
  if (twice !== undefined) {
    const reply = faultReply(step.call, 400, {
      code: 'duplicate',
      text: `entry ${twice.index} is about the same ${twice.what} as an earlier one`,
      fix: 'name every instance once',
    })
    return failed(step, twice.index, reply)
  }

  const identities = assignIdentities(entries, step.endpoint.newId)
  const prepared: Prepared[] = []
  for (const [index, entry] of entries.entries()) {
    const entryStep = steps[index]!
    const answer = prepare(entryStep, entry, identities)
    if (!('operation' in answer)) return failed(entryStep, index, answer, entry.interaction)
    prepared.push({ entry, step: entryStep, operation: answer.operation })
  }

  const { backend } = step.endpoint
  const answer = await backend.transaction(
    prepared.map(({ operation }) => operation),
    step.caller.access,
  )
  if (answer.kind === 'failed') {
    const { entry, step: entryStep } = prepared[answer.index]!
    const reply = replyOf(entryStep, entry, answer.answer)
    return failed(entryStep, answer.index, reply, entry.interaction)
  }
  const done = prepared.map(
    ({ entry, step: entryStep, operation }, index): EntryDone => ({
      step: entryStep,
      interaction: entry.interaction,
      reply: replyOf(entryStep, entry, answer.answers[index]!, operation),
    }),
  )
  return {
    reply: {
      status: 200,
      headers: {},
      body: responseBundle(
        'transaction-response',
        done.map(({ reply }) => entryResponse(reply)),
      ),
      outcome: 'permitted',
      count: 0,
    },
    entries: done,
  }
}

/** The answer of the whole is that of the entry that stopped it, with its place. */
function failed(
  step: Step,
  index: number,
  reply: Reply,
  interaction?: RequestEntry['interaction'],
): { readonly reply: Reply; readonly entries: readonly EntryDone[] } {
  const place = `Bundle.entry[${index}]`
  const body = withExpression(reply.body, place)
  return {
    reply: { ...reply, body, count: 0 },
    entries: [{ step, interaction, reply }],
  }
}

interface OutcomeJson {
  readonly issue: readonly { readonly expression?: readonly string[] }[]
}

function withExpression(body: string | null, place: string): string | null {
  if (body === null) return null
  const outcome = JSON.parse(body) as OutcomeJson
  const issue = outcome.issue.map((each) => {
    const [inside] = each.expression ?? []
    const expression =
      inside === undefined
        ? place
        : inside.startsWith('Bundle.entry[')
          ? inside
          : `${place}.resource.${inside.replace(/^[A-Z][A-Za-z]+\./, '')}`
    return { ...each, expression: [expression] }
  })
  return JSON.stringify({ ...outcome, issue })
}

function prepare(
  step: Step,
  entry: RequestEntry,
  identities: ReturnType<typeof assignIdentities>,
): Reply | { readonly operation: TransactionOperation } {
  const { interaction, call } = entry
  switch (interaction.kind) {
    case 'create': {
      const body = prepareBody(step, entry, identities)
      if (!('submitted' in body)) return body
      const options = prepareCreate(step)
      if (!options.ok) return options.reply
      const id = identities.ids.get(entry.index)!
      return {
        operation: { kind: 'create', id, submitted: body.submitted, options: options.options },
      }
    }
    case 'update': {
      const body = prepareBody(step, entry, identities)
      if (!('submitted' in body)) return body
      const wrongId = checkId(call, body.submitted.resource, interaction.id)
      if (wrongId !== undefined) return wrongId
      const options = prepareUpdate(step, interaction.type)
      if (!options.ok) return options.reply
      const key = { type: interaction.type, id: interaction.id }
      return {
        operation: { kind: 'update', key, submitted: body.submitted, options: options.options },
      }
    }
    case 'delete': {
      const options = prepareDelete(step)
      if (!options.ok) return options.reply
      const key = { type: interaction.type, id: interaction.id }
      return { operation: { kind: 'delete', key, options: options.options } }
    }
    case 'read':
      return { operation: { kind: 'read', key: { type: interaction.type, id: interaction.id } } }
    case 'search-type': {
      const search = prepareSearch(step, interaction.type, call.query)
      return search.ok ? { operation: { kind: 'search', query: search.query } } : search.reply
    }
    default:
      return faultReply(call, 400, {
        code: 'not-supported',
        text: 'earlier versions cannot be read inside a transaction',
        fix: 'read them in a batch or by themselves',
      })
  }
}

function prepareBody(
  step: Step,
  entry: RequestEntry,
  identities: ReturnType<typeof assignIdentities>,
): Reply | { readonly submitted: Submitted } {
  const { call } = step
  const submitted = rewriteReferences(
    { text: entry.text, resource: entry.resource! },
    entry,
    identities,
  )
  if (!submitted.ok) {
    return faultReply(call, 400, {
      code: 'not-supported',
      text: `the conditional reference at \`${submitted.at}\` is not offered here`,
      fix: 'search first, and refer by id',
      expression: submitted.at,
    })
  }
  const checked = checkSubmitted(call, submitted.submitted, entry.interaction.type)
  return checked.ok ? { submitted: checked.submitted } : checked.reply
}

function replyOf(
  step: Step,
  entry: RequestEntry,
  answer: TransactionResult,
  operation?: TransactionOperation,
): Reply {
  const { kind } = entry.interaction
  if (answer.kind === 'found') {
    if (operation?.kind !== 'search') throw new TypeError('only a search is answered with matches')
    return searchReply(step, operation.query, restrictSearch(step, operation.query, answer))
  }
  if (kind === 'create' || kind === 'update' || kind === 'delete') {
    if (answer.kind === 'gone' || (answer.kind === 'done' && !('outcome' in answer))) {
      throw new TypeError('a write is not answered like a read')
    }
    return writeReply(step, kind, answer)
  }
  if (answer.kind === 'done' || answer.kind === 'gone' || answer.kind === 'absent') {
    return readReply(step, answer)
  }
  throw new TypeError(`a read is not answered with ${answer.kind}`)
}

/** The first entry that writes what an earlier one writes, or has its fullUrl. */
function findRepeated(
  entries: readonly RequestEntry[],
): { readonly index: number; readonly what: string } | undefined {
  const keys = new Set<string>()
  const urls = new Set<string>()
  for (const { index, interaction, fullUrl } of entries) {
    if (interaction.kind === 'update' || interaction.kind === 'delete') {
      const key = `${interaction.type}/${interaction.id}`
      if (keys.has(key)) return { index, what: 'instance' }
      keys.add(key)
    }
    if (fullUrl !== undefined && (interaction.kind === 'create' || interaction.kind === 'update')) {
      if (urls.has(fullUrl)) return { index, what: 'fullUrl' }
      urls.add(fullUrl)
    }
  }
  return undefined
}
