import type { FhirResource } from '../resource.ts'
import { applyEdits, type TextEdit } from './edit-text.ts'
import { type MemberSpan, readMembers, skipSpace } from './read-spans.ts'

/** What the server sets on every version. */
export interface ServerSet {
  readonly id: string
  readonly versionId: string | number
  /** RFC 3339 with milliseconds, UTC. */
  readonly lastUpdated: string
}

/**
 * The text of a resource with `id`, `meta.versionId` and `meta.lastUpdated` set. Every other byte
 * stays: decimals such as `1.00`, the order of members, white space.
 *
 * @param text As accepted by `parseResource`, with an object in `meta` if there is one.
 * @param resource The value of `text`.
 */
export function withIdAndMeta(text: string, resource: FhirResource, set: ServerSet): string {
  const edits: TextEdit[] = []
  const top = findMembers(text, skipSpace(text, 0), ['resourceType', 'id', 'meta'])
  const afterType = top.get('resourceType')!.to
  const { id, meta } = { id: top.get('id'), meta: top.get('meta') }

  const newId = JSON.stringify(set.id)
  let inserted = ''
  if (id !== undefined) edits.push({ from: id.from, to: id.to, text: newId })
  else inserted += `,"id":${newId}`

  const versionId = `"${set.versionId}"`
  const lastUpdated = JSON.stringify(set.lastUpdated)
  if (meta === undefined || !isObject(resource.meta)) {
    const whole = `{"versionId":${versionId},"lastUpdated":${lastUpdated}}`
    if (meta === undefined) inserted += `,"meta":${whole}`
    else edits.push({ from: meta.from, to: meta.to, text: whole })
  } else {
    const inside = findMembers(text, meta.from, ['versionId', 'lastUpdated'])
    const missing: string[] = []
    const setMember = (name: string, value: string): void => {
      const span = inside.get(name)
      if (span === undefined) missing.push(`"${name}":${value}`)
      else edits.push({ from: span.from, to: span.to, text: value })
    }
    setMember('versionId', versionId)
    setMember('lastUpdated', lastUpdated)
    if (missing.length > 0) {
      const comma = Object.keys(resource.meta).length > 0 ? ',' : ''
      const at = meta.from + 1
      edits.push({ from: at, to: at, text: missing.join() + comma })
    }
  }
  if (inserted !== '') edits.push({ from: afterType, to: afterType, text: inserted })
  return applyEdits(
    text,
    edits.sort((a, b) => a.from - b.from),
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function findMembers(
  text: string,
  from: number,
  names: readonly string[],
): ReadonlyMap<string, MemberSpan> {
  const found = new Map<string, MemberSpan>()
  for (const member of readMembers(text, from)) {
    if (!names.includes(member.name)) continue
    found.set(member.name, member)
    if (found.size === names.length) break
  }
  return found
}
