import {
  type FhirContextItem,
  LAUNCH_CONTEXT_MEMBERS,
  type LaunchContext,
} from './launch-context.ts'

/** What is wrong with a launch context, and what to do. */
export interface LaunchContextProblem {
  /** `encounter`, `fhirContext[1].role`. */
  readonly member: string
  readonly why: string
  readonly fix: string
}

export type CheckedLaunchContext =
  | { readonly ok: true; readonly context: LaunchContext }
  | { readonly ok: false; readonly problems: readonly LaunchContextProblem[] }

type Members = Readonly<Record<string, unknown>>
type Add = (member: string, why: string, fix: string) => void

const ID = /^[A-Za-z0-9.-]{1,64}$/
const REFERENCE = /^([A-Z][A-Za-z]{1,63})\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/
const MAX_ITEMS = 100
const MAX_CHARACTERS = 2000

/**
 * Reads a launch context from outside. Only what it looks like: whether the patient and the
 * encounter exist, and whether the user may see them, is for the launch itself.
 *
 * @see SMART App Launch 2.2, scopes-and-launch-context: fhirContext
 */
export function checkLaunchContext(members: Members): CheckedLaunchContext {
  const problems: LaunchContextProblem[] = []
  const add: Add = (member, why, fix) => problems.push({ member, why, fix })

  for (const name of Object.keys(members)) {
    if ((LAUNCH_CONTEXT_MEMBERS as readonly string[]).includes(name)) continue
    add(name, 'not a launch context parameter', `known are ${LAUNCH_CONTEXT_MEMBERS.join(', ')}`)
  }
  for (const name of ['patient', 'encounter'] as const) {
    const id = members[name]
    if (id === undefined || (typeof id === 'string' && ID.test(id))) continue
    add(
      name,
      'not the id of a resource',
      `give the id alone, such as \`123\`, not \`${typeOf(name)}/123\``,
    )
  }
  for (const name of ['intent', 'tenant'] as const) {
    if (members[name] !== undefined) checkText(name, members[name], add)
  }
  const { need_patient_banner, smart_style_url, fhirContext } = members
  if (need_patient_banner !== undefined && typeof need_patient_banner !== 'boolean') {
    add('need_patient_banner', 'neither true nor false', 'give true or false')
  }
  if (smart_style_url !== undefined && !isWebUrl(smart_style_url)) {
    add('smart_style_url', 'not an http or https URL', 'give it in full')
  }
  if (fhirContext !== undefined) checkFhirContext(fhirContext, add)
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, context: members as LaunchContext }
}

function checkFhirContext(value: unknown, add: Add): void {
  if (!Array.isArray(value) || value.length > MAX_ITEMS) {
    add(
      'fhirContext',
      `not an array of at most ${MAX_ITEMS} objects`,
      'give [{"reference": "ImagingStudy/123"}]',
    )
    return
  }
  for (const [index, item] of value.entries()) {
    const at = `fhirContext[${index}]`
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      add(at, 'not an object', 'give {"reference": "ImagingStudy/123"}')
    } else {
      checkItem(at, item as Members, add)
    }
  }
}

const ITEM_MEMBERS = [
  'reference',
  'canonical',
  'identifier',
  'type',
  'role',
] as const satisfies readonly (keyof FhirContextItem)[]

function checkItem(at: string, item: Members, add: Add): void {
  const { reference, canonical, identifier, type, role } = item
  for (const name of Object.keys(item)) {
    if ((ITEM_MEMBERS as readonly string[]).includes(name)) continue
    add(`${at}.${name}`, 'not known', `known are ${ITEM_MEMBERS.join(', ')}`)
  }
  if (reference === undefined && canonical === undefined && identifier === undefined) {
    add(at, 'names nothing', 'give at least one of reference, canonical and identifier')
  }
  const referenced = typeof reference === 'string' ? REFERENCE.exec(reference)?.[1] : undefined
  if (reference !== undefined && referenced === undefined) {
    add(`${at}.reference`, 'not a relative reference', 'give `Type/id`')
  }
  if (canonical !== undefined) checkText(`${at}.canonical`, canonical, add)
  if (identifier !== undefined && !isIdentifier(identifier)) {
    add(`${at}.identifier`, 'not an Identifier with a value', 'give {"system": …, "value": …}')
  }
  if (type !== undefined && !(typeof type === 'string' && /^[A-Z][A-Za-z]{1,63}$/.test(type))) {
    add(`${at}.type`, 'not a resource type', 'give a type such as `ImagingStudy`')
  }
  if (role !== undefined && role !== 'launch' && !isAbsoluteUri(role)) {
    add(`${at}.role`, 'neither `launch` nor an absolute URI', 'leave it out, or give a URI')
  }
  const is = referenced ?? type
  if ((is === 'Patient' || is === 'Encounter') && (role === undefined || role === 'launch')) {
    add(
      at,
      `${is} with the role \`launch\` has a parameter of its own`,
      `use \`${is.toLowerCase()}\`, or give the role that it has beside it`,
    )
  }
}

function checkText(name: string, value: unknown, add: Add): void {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_CHARACTERS) return
  add(name, `not text of 1 to ${MAX_CHARACTERS} characters`, 'give text, or leave it out')
}

function isIdentifier(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { value: own, system } = value as Members
  return (
    typeof own === 'string' && own !== '' && (system === undefined || typeof system === 'string')
  )
}

function isAbsoluteUri(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value)
}

function isWebUrl(value: unknown): boolean {
  if (typeof value !== 'string') return false
  const protocol = URL.parse(value)?.protocol
  return protocol === 'https:' || protocol === 'http:'
}

function typeOf(member: 'patient' | 'encounter'): string {
  return member === 'patient' ? 'Patient' : 'Encounter'
}
