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

/**
 * The path of a request as a trace may keep it: types, ids and the names of parameters stay;
 * values of search parameters become `…`, besides those that steer the answer. Ids stay because
 * the operator could not find the instance without them; give resources ids that say nothing. A
 * token or secret that somebody put into the path is taken out.
 *
 * @param target path and query as sent; a fragment or authority must be gone already
 */
export function redactPath(target: string): string {
  const query = target.indexOf('?')
  if (query === -1) return redactText(target).slice(0, MAX_LENGTH)
  const pairs = target
    .slice(query + 1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=')
      if (equals === -1) return pair
      const name = pair.slice(0, equals)
      return CONTROL.has(decoded(name)) ? pair : `${name}=…`
    })
  return redactText(`${target.slice(0, query)}?${pairs.join('&')}`).slice(0, MAX_LENGTH)
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
