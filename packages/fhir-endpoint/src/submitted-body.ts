import {
  type FhirResource,
  type Problem,
  parseResource,
  type Submitted,
  validateResource,
} from '@scopegate/fhir-model'
import { parseMediaType } from '@scopegate/http'
import { bodyFault } from './body-fault.ts'
import type { Call } from './call.ts'
import { isR4 } from './negotiate.ts'
import { faultReply, type Issue, type IssueCode, type Reply } from './reply.ts'

export type SubmittedBody =
  | { readonly ok: true; readonly submitted: Submitted }
  | { readonly ok: false; readonly reply: Reply }

const JSON_TYPES = new Set(['application/fhir+json', 'application/json', 'text/json'])

/**
 * Reads the resource that a caller sends: JSON of the expected type, without doubled keys (400),
 * structurally valid (422).
 */
export async function readSubmitted(
  call: Call,
  limitBytes: number,
  type: string,
): Promise<SubmittedBody> {
  const text = await readJsonText(call, limitBytes)
  return typeof text === 'string' ? parseSubmitted(call, text, type) : { ok: false, reply: text }
}

/** The text of a JSON body, or what is wrong with how it was sent. */
export async function readJsonText(call: Call, limitBytes: number): Promise<string | Reply> {
  const media = parseMediaType(call.header('content-type'))
  if (media === undefined || !JSON_TYPES.has(media.type)) {
    return unsupportedMedia(
      call,
      media === undefined ? 'no Content-Type' : `Content-Type \`${media.type.slice(0, 80)}\``,
    )
  }
  const charset = media.parameters.get('charset')
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') {
    return unsupportedMedia(call, `charset \`${charset.slice(0, 40)}\``)
  }
  const version = media.parameters.get('fhirversion')
  if (version !== undefined && !isR4(version)) {
    return unsupportedMedia(call, `FHIR version \`${version.slice(0, 40)}\``)
  }
  const body = await call.body(limitBytes)
  if (!body.ok) return bodyFault(call, body.problem)
  if (body.text.trim() === '') {
    return faultReply(call, 400, {
      code: 'required',
      text: 'the body is empty',
      fix: 'send one FHIR resource as JSON',
    })
  }
  return body.text
}

/** Judges the text of one resource; also for the entries of a Bundle. */
export function parseSubmitted(call: Call, text: string, type: string): SubmittedBody {
  const parsed = parseResource(text)
  if (!parsed.ok) return { ok: false, reply: faultReply(call, 400, parsed.problems.map(issueOf)) }
  return checkSubmitted(call, { text, resource: parsed.resource }, type)
}

/** The rules for a resource that was read already. */
export function checkSubmitted(call: Call, submitted: Submitted, type: string): SubmittedBody {
  const { resource, text } = submitted
  if (resource.resourceType !== type) {
    return {
      ok: false,
      reply: faultReply(call, 400, {
        code: 'invalid',
        text: `the body is a \`${String(resource.resourceType).slice(0, 64)}\`, the address is for ${type}`,
        fix: `send a ${type}, or use the address of the other type`,
        expression: 'resourceType',
      }),
    }
  }
  const problems = validateResource(resource, text)
  if (problems.length > 0) {
    return { ok: false, reply: faultReply(call, 422, problems.slice(0, 50).map(issueOf)) }
  }
  return { ok: true, submitted }
}

/** A body for an update must say which instance it is. */
export function checkId(call: Call, resource: FhirResource, id: string): Reply | undefined {
  if (resource.id === id) return undefined
  return faultReply(call, 400, {
    code: 'invalid',
    text:
      resource.id === undefined
        ? 'the body of an update needs its `id`'
        : 'the `id` of the body is not the one of the address',
    fix: 'set `id` of the body to the id of the address',
    expression: `${resource.resourceType}.id`,
  })
}

function issueOf(problem: Problem): Issue {
  const place =
    problem.line === undefined ? '' : ` (line ${problem.line}, column ${problem.column})`
  return {
    code: problem.code as IssueCode,
    text: `${problem.text}${problem.text.includes('line ') ? '' : place}`,
    ...(problem.expression === '' ? {} : { expression: problem.expression }),
  }
}

function unsupportedMedia(call: Call, got: string): Reply {
  return faultReply(
    call,
    415,
    {
      code: 'not-supported',
      text: `${got} is not accepted here`,
      fix: 'send Content-Type: application/fhir+json',
    },
    { Accept: 'application/fhir+json, application/json' },
  )
}
