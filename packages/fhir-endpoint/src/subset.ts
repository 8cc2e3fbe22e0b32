import {
  isElementOf,
  type MemberSpan,
  mandatoryElements,
  readItems,
  readMembers,
  skipSpace,
  summaryElements,
} from '@scopegate/fhir-model'
import type { Wishes } from './negotiate.ts'

const SUBSETTED =
  '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}'

/**
 * The body with only the elements that `_summary` or `_elements` asks for, marked `SUBSETTED`;
 * elements the type requires always stay. Works on the text, so what stays is unchanged. Whether
 * the caller may see the resource must have been judged on the whole of it.
 * @see https://hl7.org/fhir/R4/search.html#summary
 */
export function subset(
  type: string,
  body: string,
  wishes: Pick<Wishes, 'summary' | 'elements'>,
): string {
  const keep = keeper(type, wishes)
  if (keep === undefined) return body
  let kept = ''
  let sawMeta = false
  for (const member of readMembers(body, skipSpace(body, 0))) {
    const isMeta = member.name === 'meta'
    if (!isMeta && !keep(member.name)) continue
    sawMeta ||= isMeta
    const value = isMeta ? markedMeta(body, member) : body.slice(member.from, member.to)
    kept += `${kept === '' ? '' : ','}${JSON.stringify(member.name)}:${value}`
  }
  if (!sawMeta) kept += `${kept === '' ? '' : ','}"meta":{"tag":[${SUBSETTED}]}`
  return `{${kept}}`
}

function keeper(
  type: string,
  { summary, elements }: Pick<Wishes, 'summary' | 'elements'>,
): ((member: string) => boolean) | undefined {
  if (summary === 'data') return (member) => member !== 'text' && member !== '_text'
  const asked =
    summary === 'true'
      ? summaryElements(type)
      : summary === 'text'
        ? ['text']
        : elements.length > 0
          ? elements.map((element) => element.replace('[x]', ''))
          : undefined
  if (asked === undefined) return undefined
  const kept = ['id', ...mandatoryElements(type), ...asked]
  return (member) =>
    member === 'resourceType' || kept.some((element) => isElementOf(type, member, element))
}

/** The text of `meta` with one more tag. */
function markedMeta(body: string, { from, to }: MemberSpan): string {
  const inner = [...readMembers(body, from)]
  const tag = inner.find(({ name }) => name === 'tag')
  if (tag !== undefined && body[tag.from] === '[') {
    const isEmpty = readItems(body, tag.from).next().done === true
    const at = tag.from + 1
    return `${body.slice(from, at)}${SUBSETTED}${isEmpty ? '' : ','}${body.slice(at, to)}`
  }
  return `${body.slice(from, to - 1)}${inner.length === 0 ? '' : ','}"tag":[${SUBSETTED}]}`
}
