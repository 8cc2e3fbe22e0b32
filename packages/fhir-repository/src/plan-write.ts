import {
  allowedFor,
  compilePredicate,
  type DeleteOptions,
  type FhirResource,
  isUnrestricted,
  type ResourceKey,
  type Submitted,
  type SubmittedBody,
  type UpdateOptions,
  type WriteAnswer,
  withIdAndMeta,
} from '@scopegate/fhir-model'
import type { Change } from './apply-changes.ts'
import { isAboutHidden, opensHiddenBinary, opensHiddenShared } from './hidden-references.ts'
import { indexRows } from './index-rows.ts'
import { isInstanceVisible } from './read.ts'
import {
  absent,
  attachmentRefused,
  bodyRefused,
  hidden,
  referenceRefused,
  storedNotWritable,
} from './refusal.ts'
import { isPermitted, isRowPermitted, matchOptions, type Request } from './request.ts'
import { contentOf, type StoredRow, toVersion } from './stored-row.ts'

/**
 * A write that was judged as far as it can be before it is made. What depends on other resources,
 * which the same transaction may be writing, is judged by `answer`, when all are written.
 */
export type PlannedWrite =
  | { readonly kind: 'settled'; readonly answer: WriteAnswer }
  | {
      readonly kind: 'change'
      readonly change: Change
      readonly isNew: boolean
      /** Whether `answer` may yet refuse: it is asked before the transaction is committed. */
      readonly dependsOnOthers: boolean
      /** @param after A request that was started when all was written. */
      readonly answer: (after: Request) => Promise<WriteAnswer>
    }

export interface WriteContext {
  readonly request: Request
  readonly nowMs: number
  /** What the same transaction makes, as `Type/id`. */
  readonly newInstances?: ReadonlySet<string>
}

export async function planCreate(
  context: WriteContext,
  submitted: Submitted,
  id: string,
  sk: number,
): Promise<PlannedWrite> {
  const { request, nowMs } = context
  const version = newVersion(context, submitted, id, 1, nowMs)
  const judged = await judgeBody(request, 'c', version.resource, {})
  if (judged === 'refused') return settled(bodyRefused(request.access, 'c', version.resource, {}))
  const opening = await refuseOpening(context, 'c', version.resource)
  if (opening !== undefined) return settled(opening)
  return change(context, version, { sk, method: 'POST', isNew: true, outcome: 'created' }, judged)
}

export async function planUpdate(
  context: WriteContext,
  key: ResourceKey,
  submitted: Submitted,
  options: UpdateOptions,
  stored: StoredRow | undefined,
  sk: number | undefined,
): Promise<PlannedWrite> {
  const { request, nowMs } = context
  if (stored === undefined || stored.deleted) {
    return planRevival(context, key, submitted, options, stored, sk)
  }
  if (!(await isRowPermitted(request, 'u', stored))) {
    return settled(
      (await isRowPermitted(request, 'visible', stored))
        ? storedNotWritable('u', key.type)
        : hidden(request.access, 'visible', stored),
    )
  }
  const version = newVersion(
    context,
    submitted,
    key.id,
    stored.ver + 1,
    Math.max(nowMs, stored.lu + 1),
  )
  const previous = contentOf(stored)
  const judged = await judgeBody(request, 'u', version.resource, { previous })
  if (judged === 'refused') {
    return settled(bodyRefused(request.access, 'u', version.resource, { previous }))
  }
  const opening = await refuseOpening(context, 'u', version.resource, previous)
  if (opening !== undefined) return settled(opening)
  const conflict = preconditionOf(options, stored)
  if (conflict !== undefined) return settled(conflict)
  return change(
    context,
    version,
    { sk: stored.sk, method: 'PUT', isNew: false, outcome: 'updated' },
    judged,
  )
}

/** An id of the client's own choice, or one that was deleted: only where nothing can be hidden. */
async function planRevival(
  context: WriteContext,
  key: ResourceKey,
  submitted: Submitted,
  options: UpdateOptions,
  stored: StoredRow | undefined,
  sk: number | undefined,
): Promise<PlannedWrite> {
  const { request, nowMs } = context
  if (!isUnrestricted(request.access, 'u', key.type)) {
    return settled(absent(stored === undefined ? 'never' : 'deleted', key))
  }
  if (stored === undefined && !options.updateCreate) return settled({ kind: 'no-update-create' })
  if (options.ifMatch !== undefined && options.ifMatch !== stored?.ver) {
    return settled({ kind: 'conflict', why: 'version' })
  }
  const version = newVersion(
    context,
    submitted,
    key.id,
    (stored?.ver ?? 0) + 1,
    Math.max(nowMs, (stored?.lu ?? 0) + 1),
  )
  const opening = await refuseOpening(context, 'u', version.resource)
  if (opening !== undefined) return settled(opening)
  const number = stored?.sk ?? sk
  if (number === undefined) throw new TypeError('a new row needs a number')
  return change(
    context,
    version,
    { sk: number, method: 'PUT', isNew: stored === undefined, outcome: 'created' },
    undefined,
  )
}

export async function planDelete(
  context: WriteContext,
  key: ResourceKey,
  options: DeleteOptions,
  stored: StoredRow | undefined,
): Promise<PlannedWrite> {
  const { request, nowMs } = context
  if (stored === undefined) return settled(absent('never', key))
  if (!(await isInstanceVisible(request, stored, 'd'))) {
    return settled(
      (await isInstanceVisible(request, stored, 'visible'))
        ? storedNotWritable('d', key.type)
        : hidden(request.access, 'visible', stored),
    )
  }
  if (stored.deleted) {
    return settled({
      kind: 'done',
      outcome: 'already-deleted',
      version: toVersion(stored),
      readable: false,
    })
  }
  const conflict = preconditionOf(options, stored)
  if (conflict !== undefined) return settled(conflict)
  const ver = stored.ver + 1
  const lu = Math.max(nowMs, stored.lu + 1)
  const deletion: Change = { ...keyOf(stored), ver, lu, method: 'DELETE', body: '' }
  const version = toVersion({ ...stored, ver, lu, method: 'DELETE', deleted: true, body: '' })
  return {
    kind: 'change',
    change: deletion,
    isNew: false,
    dependsOnOthers: false,
    answer: async () => ({ kind: 'done', outcome: 'deleted', version, readable: false }),
  }
}

/** No write makes visible what its writer cannot see. */
async function refuseOpening(
  context: WriteContext,
  letter: 'c' | 'u',
  resource: FhirResource,
  previous?: FhirResource,
): Promise<WriteAnswer | undefined> {
  const { resourceType } = resource
  if (await opensHiddenBinary(context, letter, resource, previous)) {
    return attachmentRefused(resourceType)
  }
  const shared = await opensHiddenShared(context, resource, previous)
  return shared === undefined ? undefined : referenceRefused(resourceType, shared)
}

const keyOf = ({ sk, type, id }: StoredRow) => ({ sk, type, id })
const settled = (answer: WriteAnswer): PlannedWrite => ({ kind: 'settled', answer })

function preconditionOf(
  options: UpdateOptions | DeleteOptions,
  stored: StoredRow,
): WriteAnswer | undefined {
  if (options.ifMatch !== undefined && options.ifMatch !== stored.ver) {
    return { kind: 'conflict', why: 'version', currentVersionId: stored.ver }
  }
  if ('ifNoneMatchAny' in options && options.ifNoneMatchAny === true) {
    return { kind: 'conflict', why: 'exists', currentVersionId: stored.ver }
  }
  return undefined
}

interface NewVersion {
  readonly id: string
  readonly ver: number
  readonly lu: number
  readonly body: string
  readonly resource: FhirResource
}

function newVersion(
  _context: WriteContext,
  submitted: Submitted,
  id: string,
  ver: number,
  lu: number,
): NewVersion {
  const meta = { versionId: String(ver), lastUpdated: new Date(lu).toISOString() }
  const resource = {
    ...submitted.resource,
    id,
    meta: { ...submitted.resource.meta, ...meta },
  }
  const body = withIdAndMeta(submitted.text, submitted.resource, { id, ...meta })
  return { id, ver, lu, body, resource }
}

type Later = ((after: Request) => Promise<boolean>) | undefined

async function judgeBody(
  request: Request,
  letter: 'c' | 'u',
  resource: FhirResource,
  submitted: SubmittedBody,
): Promise<'refused' | Later> {
  const type = resource.resourceType
  const predicate = allowedFor(request.access, letter, type)
  const matcher = compilePredicate(type, predicate, matchOptions(request.repository))
  if (matcher.sync) return matcher.test(resource, submitted) ? undefined : 'refused'
  return async (after) =>
    (await matcher.permits(resource, after.lookup, submitted)) &&
    !(await isAboutHidden(after, resource, submitted.previous))
}

function change(
  { request }: WriteContext,
  { id, ver, lu, body, resource }: NewVersion,
  kind: {
    readonly sk: number
    readonly method: 'POST' | 'PUT'
    readonly isNew: boolean
    readonly outcome: 'created' | 'updated'
  },
  later: Later,
): PlannedWrite {
  const { repository } = request
  const { sk, method, isNew, outcome } = kind
  const type = resource.resourceType
  const index = indexRows(resource, repository.params, repository.base)
  const row: StoredRow = { sk, type, id, ver, lu, method, deleted: false, body }
  return {
    kind: 'change',
    change: { sk, type, id, ver, lu, method, body, index },
    isNew,
    dependsOnOthers: later !== undefined,
    answer: async (after) => {
      if (later !== undefined && !(await later(after))) {
        return bodyRefused(request.access, method === 'POST' ? 'c' : 'u', resource, {})
      }
      const readable = await isPermitted(after, 'r', resource)
      return { kind: 'done', outcome, version: toVersion(row), readable }
    },
  }
}
