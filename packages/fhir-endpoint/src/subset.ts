import { mandatoryElements, summaryElements } from './element-sets.ts'
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
): ((name: string) => boolean) | undefined {
  if (summary === 'data') return (name) => name !== 'text'
  const asked =
    summary === 'true'
      ? summaryElements(type)
      : summary === 'text'
        ? new Set(['text'])
        : elements.length > 0
          ? new Set(elements.map((element) => element.replace('[x]', '')))
          : undefined
  if (asked === undefined) return undefined
  const mandatory = mandatoryElements(type)
  return (name) => {
    // `_birthDate` holds the extensions of `birthDate`.
    const element = name.startsWith('_') ? name.slice(1) : name
    return (
      element === 'resourceType' ||
      element === 'id' ||
      asked.has(element) ||
      mandatory.has(element) ||
      isChoiceOf(element, asked) ||
      isChoiceOf(element, mandatory)
    )
  }
}

/** `valueQuantity` is asked for by `value`. */
function isChoiceOf(element: string, names: ReadonlySet<string>): boolean {
  const upper = element.search(/[A-Z]/)
  for (let at = upper; at > 0; ) {
    if (names.has(element.slice(0, at))) return CHOICE.has(element.slice(0, at))
    const next = element.slice(at + 1).search(/[A-Z]/)
    at = next === -1 ? -1 : at + 1 + next
  }
  return false
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

/** Elements of R4 resources that are choices of types, without `[x]`. */
const CHOICE = new Set([
  'abatement',
  'allowed',
  'asNeeded',
  'author',
  'born',
  'chargeItem',
  'collected',
  'content',
  'deceased',
  'defaultValue',
  'definition',
  'diagnosis',
  'doseNumber',
  'due',
  'effective',
  'entity',
  'event',
  'fastingStatus',
  'identified',
  'indicated',
  'issue',
  'item',
  'legallyBinding',
  'location',
  'medication',
  'minimumVolume',
  'module',
  'multipleBirth',
  'name',
  'occurred',
  'occurrence',
  'offset',
  'onset',
  'performed',
  'probability',
  'procedure',
  'product',
  'quantity',
  'rate',
  'reported',
  'scheduled',
  'serviced',
  'source',
  'statusReason',
  'subject',
  'target',
  'time',
  'timing',
  'topic',
  'udi',
  'used',
  'useContext',
  'value',
  'versionAlgorithm',
  'when',
  'start',
  'amount',
  'age',
  'schedule',
])
