import { isElementOf, mandatoryElements, summaryElements } from '@scopegate/fhir-model'
import { type JsonMember, jsonElements, jsonMembers } from './json-members.ts'
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
  for (const member of jsonMembers(body)) {
    const isMeta = member.name === 'meta'
    if (!isMeta && !keep(member.name)) continue
    sawMeta ||= isMeta
    const text = isMeta ? markedMeta(body, member) : body.slice(member.nameStart, member.valueEnd)
    kept += kept === '' ? text : `,${text}`
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

function markedMeta(body: string, member: JsonMember): string {
  const { nameStart, valueStart, valueEnd } = member
  const inner = jsonMembers(body, valueStart)
  const tag = inner.find(({ name }) => name === 'tag')
  if (tag !== undefined && body[tag.valueStart] === '[') {
    const empty = jsonElements(body, tag.valueStart).length === 0
    const at = tag.valueStart + 1
    return `${body.slice(nameStart, at)}${SUBSETTED}${empty ? '' : ','}${body.slice(at, valueEnd)}`
  }
  const comma = inner.length === 0 ? '' : ','
  return `${body.slice(nameStart, valueEnd - 1)}${comma}"tag":[${SUBSETTED}]}`
}
