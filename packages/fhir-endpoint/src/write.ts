import {
  type DeleteOptions,
  isUnrestricted,
  type UpdateOptions,
  type WriteOptions,
} from '@scopegate/fhir-model'
import type { Call } from './call.ts'
import { parseIfMatch } from './conditional-headers.ts'
import { faultReply, type Reply } from './reply.ts'
import type { Step } from './step.ts'
import { checkId, readSubmitted } from './submitted-body.ts'
import { writeReply } from './write-reply.ts'

/** A step of a write: what to go on with, or the reply that ends it. */
export type Prepared<T> =
  | { readonly ok: true; readonly options: T }
  | { readonly ok: false; readonly reply: Reply }

/** `POST [type]`. @see https://hl7.org/fhir/R4/http.html#create */
export async function create(step: Step, { type }: { readonly type: string }): Promise<Reply> {
  const { call, caller, endpoint } = step
  const body = await readSubmitted(call, endpoint.settings.maxBodyBytes, type)
  if (!body.ok) return body.reply
  const prepared = prepareCreate(step)
  if (!prepared.ok) return prepared.reply
  const answer = await endpoint.backend.create(body.submitted, caller.access, prepared.options)
  return writeReply(step, 'create', answer)
}

/** `PUT [type]/[id]`. @see https://hl7.org/fhir/R4/http.html#update */
export async function update(
  step: Step,
  { type, id }: { readonly type: string; readonly id: string },
): Promise<Reply> {
  const { call, caller, endpoint } = step
  const prepared = prepareUpdate(step, type)
  const body = await readSubmitted(call, endpoint.settings.maxBodyBytes, type)
  if (!body.ok) return body.reply
  const wrongId = checkId(call, body.submitted.resource, id)
  if (wrongId !== undefined) return wrongId
  if (!prepared.ok) return prepared.reply
  const key = { type, id }
  return writeReply(
    step,
    'update',
    await endpoint.backend.update(key, body.submitted, caller.access, prepared.options),
  )
}

/** `DELETE [type]/[id]`. @see https://hl7.org/fhir/R4/http.html#delete */
export async function remove(
  step: Step,
  { type, id }: { readonly type: string; readonly id: string },
): Promise<Reply> {
  const prepared = prepareDelete(step)
  if (!prepared.ok) return prepared.reply
  const { backend } = step.endpoint
  const answer = await backend.delete({ type, id }, step.caller.access, prepared.options)
  return writeReply(step, 'delete', answer)
}

/** Conditional create is refused rather than taken for an unconditional one. */
export function prepareCreate({ call }: Step): Prepared<WriteOptions> {
  if (call.header('if-none-exist') === undefined) return { ok: true, options: {} }
  return {
    ok: false,
    reply: faultReply(call, 400, {
      code: 'not-supported',
      text: 'conditional create (`If-None-Exist`) is not offered here',
      fix: 'search first, then create without the condition',
    }),
  }
}

export function prepareUpdate(step: Step, type: string): Prepared<UpdateOptions> {
  const { call, caller, endpoint } = step
  const ifMatch = parseIfMatch(call.header('if-match'))
  if (!ifMatch.ok) return malformedIfMatch(call)
  const ifNoneMatch = call.header('if-none-match')
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') {
    return {
      ok: false,
      reply: faultReply(call, 400, {
        code: 'value',
        text: 'on an update `If-None-Match` can only be `*`',
        fix: 'leave it out, or send `*` to create only',
      }),
    }
  }
  return {
    ok: true,
    options: {
      ...(ifMatch.versionId === undefined ? {} : { ifMatch: ifMatch.versionId }),
      ...(ifNoneMatch === undefined ? {} : { ifNoneMatchAny: true }),
      // A chosen id may collide with one that is hidden from a constrained caller.
      updateCreate: endpoint.settings.updateCreate && isUnrestricted(caller.access, 'u', type),
    },
  }
}

export function prepareDelete({ call }: Step): Prepared<DeleteOptions> {
  const ifMatch = parseIfMatch(call.header('if-match'))
  if (!ifMatch.ok) return malformedIfMatch(call)
  return {
    ok: true,
    options: ifMatch.versionId === undefined ? {} : { ifMatch: ifMatch.versionId },
  }
}

function malformedIfMatch(call: Call): { readonly ok: false; readonly reply: Reply } {
  return {
    ok: false,
    reply: faultReply(call, 400, {
      code: 'value',
      text: '`If-Match` is not one version',
      fix: 'send the ETag of the version, as in `If-Match: W/"3"`',
    }),
  }
}
