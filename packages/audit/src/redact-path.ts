import { redactText } from '@scopegate/checks'

/** Search parameters that steer the answer and hold no patient data. */
const CONTROL = new Set([
  '_count',
  '_elements',
  '_format',
  '_include',
  '_include:iterate',
  '_pretty',
  '_revinclude',
  '_revinclude:iterate',
  '_sort',
  '_summary',
  '_total',
  '_type',
  'fhirVersion',
])

const MAX_LENGTH = 500

/** What stands for an id or a value that is not kept. */
export const MASK = '…'

/**
 * The path of a request to a FHIR endpoint as a trace or a log may keep it: types, operations and
 * the names of parameters stay; logical ids and values of search parameters become `…`, besides
 * values that steer the answer. Which instance it was is in the access audit, under the same
 * correlation id. A token or secret that somebody put into the path is taken out.
 *
 * @param target path and query as sent; a fragment or authority must be gone already
 */
export function redactPath(target: string): string {
  return redactTarget(target, maskIds, (name) => CONTROL.has(name))
}

/**
 * The same for an API of which nothing is known: no value of a parameter stays, and of the path
 * only segments that are words, such as `/accounts/…/transfers`.
 */
export function redactApiPath(target: string): string {
  return redactTarget(target, maskAllButWords, () => false)
}

function redactTarget(
  target: string,
  redactSegments: (path: string) => string,
  isKept: (name: string) => boolean,
): string {
  const query = target.indexOf('?')
  const path = redactSegments(query === -1 ? target : target.slice(0, query))
  if (query === -1) return redactText(path).slice(0, MAX_LENGTH)
  const pairs = target
    .slice(query + 1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const name = decoded(equals === -1 ? pair : pair.slice(0, equals))
      if (equals !== -1 && isKept(name)) return pair
      const shown = PARAMETER.test(name) ? name : MASK
      return equals === -1 ? shown : `${shown}=${MASK}`
    })
  return redactText(`${path}?${pairs.join('&')}`).slice(0, MAX_LENGTH)
}

/** What looks like the name of a parameter: `birthdate`, `code:not`, `subject:Patient.name`. */
const PARAMETER = /^_?[a-z][A-Za-z_-]{0,40}(?:[.:]_?[A-Za-z][A-Za-z_-]{0,40}){0,8}$/

const TYPE = /^[A-Z][A-Za-z]{1,40}$/

/** What follows a resource type is an id, unless it is `_history`, `_search` or an operation. */
function maskIds(path: string): string {
  const segments = path.split('/')
  return segments
    .map((segment, index) => {
      const isBelowType = TYPE.test(segments[index - 1] ?? '')
      return isBelowType && !/^(?:[_$]|$)/.test(segment) ? MASK : segment
    })
    .join('/')
}

/** Words of an address are spelled in letters; what holds digits or is encoded may be an id. */
function maskAllButWords(path: string): string {
  return path
    .split('/')
    .map((segment) =>
      /^(?:v\d{1,2}|r4b?|[A-Za-z][A-Za-z._~-]{0,39})?$/.test(segment) ? segment : MASK,
    )
    .join('/')
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
