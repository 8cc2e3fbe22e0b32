import { responseBundle } from './bundle.ts'
import { type RequestEntry, readBundle } from './bundle-entries.ts'
import { entryResponse } from './entry-response.ts'
import { type BundleDone, type EntryDone, stepOf } from './entry-step.ts'
import { negotiate } from './negotiate.ts'
import { perform } from './perform.ts'
import { faultReply, type Reply } from './reply.ts'
import type { Step } from './step.ts'
import { readJsonText } from './submitted-body.ts'
import { thrownReply } from './thrown-reply.ts'
import { transaction } from './transaction.ts'

/**
 * `POST [base]` with a Bundle: each entry goes the way of a request of its own. A batch answers
 * entry by entry; a transaction is carried out as a whole or not at all.
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */
export async function performBundle(step: Step): Promise<BundleDone> {
  const { call, endpoint } = step
  const text = await readJsonText(call, endpoint.settings.maxBundleBytes)
  if (typeof text !== 'string') return { reply: text, kind: 'batch', entries: [] }
  const bundle = readBundle(call, text, endpoint.settings.maxBundleEntries)
  if (!bundle.ok) return { reply: bundle.reply, kind: 'batch', entries: [] }
  if (bundle.type === 'transaction') {
    const { reply, entries } = await transaction(step, bundle.entries)
    return { reply, kind: 'transaction', entries }
  }
  // Of the whole answer: it is held until it is sent.
  let room = endpoint.settings.maxBundleBytes
  const endMs = performance.now() + endpoint.settings.maxBatchMs
  const done: EntryDone[] = []
  for (const read of bundle.entries) {
    const entryStep = stepOf(step, read.ok ? read.entry.call : read.call)
    const interaction = read.ok ? read.entry.interaction : undefined
    const reply = !read.ok
      ? read.reply
      : room <= 0
        ? tooMuchAnswered(entryStep)
        : performance.now() > endMs
          ? tooLate(entryStep)
          : await performEntry(entryStep, read.entry)
    room -= reply.body?.length ?? 0
    done.push({ step: entryStep, interaction, reply })
  }
  const reply: Reply = {
    status: 200,
    headers: {},
    body: responseBundle(
      'batch-response',
      done.map((entry) => entryResponse(entry.reply)),
    ),
    outcome: 'permitted',
    count: 0,
  }
  return { reply, kind: 'batch', entries: done }
}

/** The entry was not carried out, since the answers before it fill the response. */
function tooMuchAnswered({ call }: Step): Reply {
  return faultReply(call, 413, {
    code: 'too-costly',
    text: 'the answers to the entries before this one fill the response; it was not carried out',
    fix: 'send the batch in parts, or ask for less with _count, _elements or _summary',
  })
}

/** The entry was not carried out, since those before it took all the time there is. */
function tooLate({ call }: Step): Reply {
  return faultReply(call, 503, {
    code: 'too-costly',
    text: 'the entries before this one took as long as a batch may take; it was not carried out',
    fix: 'send it again, in a batch of its own',
  })
}

/** One failing entry does not stop the others. */
async function performEntry(step: Step, entry: RequestEntry): Promise<Reply> {
  const negotiated = negotiate(entry.call)
  if (!negotiated.ok) {
    const { status, why, fix } = negotiated
    return faultReply(entry.call, status, { code: 'not-supported', text: why, fix })
  }
  try {
    return await perform({ ...step, wishes: negotiated.wishes }, entry.interaction)
  } catch (error) {
    const reply = thrownReply(entry.call, error, step.endpoint.baseUrl)
    if (reply.status >= 500) step.endpoint.onError(error, entry.call.correlationId)
    return reply
  }
}
