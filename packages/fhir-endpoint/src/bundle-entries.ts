import {
  type FhirResource,
  type MemberSpan,
  parseResource,
  readItems,
  readMembers,
  skipSpace,
} from '@scopegate/fhir-model'
import type { Call } from './call.ts'
import { type Classified, classify } from './classify.ts'
import { parseTarget } from './parse-target.ts'
import type { DataInteraction } from './perform.ts'
import { faultReply, type Issue, type Reply } from './reply.ts'

/** One entry of a batch or transaction, read and classified, nothing decided. */
export interface RequestEntry {
  readonly index: number
  readonly fullUrl: string | undefined
  readonly call: Call
  readonly interaction: DataInteraction
  /** For entries that carry a resource. */
  readonly resource: FhirResource | undefined
  /** Its exact text. */
  readonly text: string
}

export type ReadEntry =
  | { readonly ok: true; readonly entry: RequestEntry }
  | { readonly ok: false; readonly index: number; readonly call: Call; readonly reply: Reply }

export type ReadBundle =
  | {
      readonly ok: true
      readonly type: 'batch' | 'transaction'
      readonly entries: readonly ReadEntry[]
    }
  | { readonly ok: false; readonly reply: Reply }

interface EntryMember {
  readonly fullUrl?: unknown
  readonly resource?: unknown
  readonly request?: Readonly<Record<string, unknown>>
}

/** Entry members of `request` and the headers they stand for. */
const HEADERS: Readonly<Record<string, string>> = {
  'if-match': 'ifMatch',
  'if-none-match': 'ifNoneMatch',
  'if-modified-since': 'ifModifiedSince',
  'if-none-exist': 'ifNoneExist',
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'])

/**
 * Reads the Bundle of a batch or transaction. Every entry becomes a call of its own, with an
 * address relative to the base that has one meaning only; what of the outer request it inherits is
 * `Prefer` and the correlation id.
 * @see https://hl7.org/fhir/R4/http.html#transaction
 */
export function readBundle(outer: Call, text: string, maxEntries: number): ReadBundle {
  const parsed = parseResource(text)
  if (!parsed.ok) {
    const issues = parsed.problems.map(
      (problem): Issue => ({
        code: problem.code as Issue['code'],
        text: problem.text,
        ...(problem.expression === '' ? {} : { expression: problem.expression }),
      }),
    )
    return { ok: false, reply: faultReply(outer, 400, issues) }
  }
  const { resource } = parsed
  const bad = (issue: Issue): ReadBundle => ({ ok: false, reply: faultReply(outer, 400, issue) })
  if (resource.resourceType !== 'Bundle') {
    return bad({
      code: 'invalid',
      text: 'the body of a POST to the base is a Bundle',
      fix: 'send a Bundle of type batch or transaction; a single resource goes to the address of its type',
      expression: 'resourceType',
    })
  }
  const type = resource.type
  if (type !== 'batch' && type !== 'transaction') {
    return bad({
      code: 'value',
      text: 'the type of the Bundle is neither `batch` nor `transaction`',
      fix: 'a Bundle that is to be stored goes to /Bundle',
      expression: 'Bundle.type',
    })
  }
  const members = resource.entry === undefined ? [] : resource.entry
  if (!Array.isArray(members)) {
    return bad({
      code: 'structure',
      text: '`entry` is not an array',
      fix: 'write the entries as an array, or leave `entry` out when there are none',
      expression: 'Bundle.entry',
    })
  }
  if (members.length > maxEntries) {
    return {
      ok: false,
      reply: faultReply(outer, 413, {
        code: 'too-costly',
        text: `the Bundle has ${members.length} entries, ${maxEntries} are allowed`,
        fix: 'send it in parts',
      }),
    }
  }
  const texts = resourceTexts(text)
  const entries = members.map((member, index) =>
    readEntry(outer, (member ?? {}) as EntryMember, index, texts[index] ?? ''),
  )
  return { ok: true, type, entries }
}

function readEntry(outer: Call, member: EntryMember, index: number, text: string): ReadEntry {
  const { request } = member
  const method = request?.method
  const url = request?.url
  const call = entryCall(outer, request ?? {}, index, String(method), text)
  const bad = (status: number, issue: Issue): ReadEntry => ({
    ok: false,
    index,
    call,
    reply: faultReply(call, status, {
      ...issue,
      expression: issue.expression ?? `Bundle.entry[${index}]`,
    }),
  })
  if (typeof method !== 'string' || !METHODS.has(method) || typeof url !== 'string') {
    return bad(400, {
      code: 'required',
      text: 'the entry has no `request` with a known `method` and a `url`',
      fix: 'set request.method (GET, POST, PUT, DELETE) and request.url',
      expression: `Bundle.entry[${index}].request`,
    })
  }
  const target = relativeTarget(url)
  if (!target.ok) {
    return bad(400, {
      code: 'value',
      text: `the address of the entry is refused: ${target.why}`,
      fix: 'write it relative to the base, as in `Observation/123` or `Observation?code=…`',
      expression: `Bundle.entry[${index}].request.url`,
    })
  }
  const placed: Call = { ...call, ...target }
  const classified: Classified = classify(method, target.segments)
  if (!classified.ok) {
    const { status, why, fix } = classified
    return bad(status, {
      code: status === 404 ? 'not-found' : 'not-supported',
      text: why,
      fix,
      expression: `Bundle.entry[${index}].request`,
    })
  }
  const { interaction } = classified
  switch (interaction.kind) {
    case 'batch':
    case 'capabilities':
    case 'smart-configuration':
    case 'options':
      return bad(400, {
        code: 'not-supported',
        text: 'an entry cannot be a batch, a transaction or a question about the server',
        fix: 'send it by itself',
      })
    default:
  }
  if (interaction.kind === 'search-type' && interaction.form) {
    return bad(400, {
      code: 'not-supported',
      text: 'an entry cannot search by POST',
      fix: 'write the search as GET, with its parameters in request.url',
    })
  }
  const resource = member.resource as FhirResource | undefined
  if (resource !== undefined && (resource === null || typeof resource !== 'object')) {
    return bad(400, { code: 'structure', text: '`resource` is not an object' })
  }
  if (resource?.resourceType === 'Bundle') {
    return bad(400, {
      code: 'not-supported',
      text: 'a Bundle inside a batch or transaction is not accepted',
      fix: 'send it by itself',
      expression: `Bundle.entry[${index}].resource`,
    })
  }
  const needsBody = interaction.kind === 'create' || interaction.kind === 'update'
  if (needsBody && resource === undefined) {
    return bad(400, { code: 'required', text: 'the entry has no `resource`' })
  }
  return {
    ok: true,
    entry: {
      index,
      fullUrl: typeof member.fullUrl === 'string' ? member.fullUrl : undefined,
      call: placed,
      interaction,
      resource: needsBody ? resource : undefined,
      text,
    },
  }
}

function relativeTarget(url: string): ReturnType<typeof parseTarget> {
  if (url.startsWith('/')) return { ok: false, why: 'it begins with a slash' }
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) return { ok: false, why: 'it is absolute' }
  const path = url.split('?', 1)[0]!
  if (path.includes('%')) return { ok: false, why: 'its path is percent-encoded' }
  if (path.endsWith('/')) return { ok: false, why: 'it ends with a slash' }
  if (url.includes('#')) return { ok: false, why: 'it holds a fragment' }
  return parseTarget(url)
}

function entryCall(
  outer: Call,
  request: Readonly<Record<string, unknown>>,
  index: number,
  method: string,
  text: string,
): Call {
  return {
    correlationId: outer.correlationId,
    startedAtMs: outer.startedAtMs,
    method,
    target: '',
    segments: [],
    query: [],
    header(name) {
      if (name === 'prefer') return outer.header('prefer')
      if (name === 'content-type') return 'application/fhir+json'
      const value = request[HEADERS[name] ?? '']
      return typeof value === 'string' ? value : undefined
    },
    repeatedHeaders: [],
    body: async () => ({ ok: true, text, bytes: text.length }),
    corsHeaders: {},
    entry: index,
  }
}

/** The exact text of every `entry[i].resource`; `''` where there is none. */
function resourceTexts(bundle: string): readonly string[] {
  const entry = find(bundle, skipSpace(bundle, 0), 'entry')
  if (entry === undefined) return []
  return Array.from(readItems(bundle, entry.from), ({ from }) => {
    const resource = bundle[from] === '{' ? find(bundle, from, 'resource') : undefined
    return resource === undefined ? '' : bundle.slice(resource.from, resource.to)
  })
}

function find(text: string, from: number, name: string): MemberSpan | undefined {
  for (const member of readMembers(text, from)) if (member.name === name) return member
  return undefined
}
