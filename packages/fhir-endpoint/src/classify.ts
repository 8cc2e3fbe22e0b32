import { isResourceType } from '@scopegate/fhir-model'

/** What a call asks for. The names are those of FHIR's restful-interaction where it has one. */
export type Interaction =
  | { readonly kind: 'read'; readonly type: string; readonly id: string }
  | {
      readonly kind: 'vread'
      readonly type: string
      readonly id: string
      readonly versionId: number
    }
  | { readonly kind: 'history-instance'; readonly type: string; readonly id: string }
  | { readonly kind: 'search-type'; readonly type: string; readonly form: boolean }
  | { readonly kind: 'create'; readonly type: string }
  | { readonly kind: 'update'; readonly type: string; readonly id: string }
  | { readonly kind: 'delete'; readonly type: string; readonly id: string }
  | { readonly kind: 'batch' }
  | { readonly kind: 'capabilities' }
  | { readonly kind: 'smart-configuration' }
  | { readonly kind: 'options'; readonly allow: readonly string[] }

export type Classified =
  | { readonly ok: true; readonly interaction: Interaction }
  | {
      readonly ok: false
      readonly status: 400 | 404 | 405
      readonly why: string
      readonly fix: string
      readonly allow?: readonly string[]
    }

const ID = /^[A-Za-z0-9\-.]{1,64}$/
const VERSION = /^[1-9][0-9]{0,9}$/

/**
 * What method and path mean; decides nothing about permission. Types and ids are case-sensitive.
 * @param segments decoded path segments below the base
 * @see https://hl7.org/fhir/R4/http.html#summary
 */
export function classify(method: string, segments: readonly string[]): Classified {
  const [first, second, third, fourth] = segments
  const verb = method === 'HEAD' ? 'GET' : method

  if (first === undefined) {
    if (verb === 'POST') return found({ kind: 'batch' })
    return otherMethod(
      verb,
      ['POST'],
      'search over all types and history of the whole server are not offered',
    )
  }
  if (first === 'metadata' && segments.length === 1) {
    return verb === 'GET' ? found({ kind: 'capabilities' }) : otherMethod(verb, ['GET', 'HEAD'])
  }
  if (first === '.well-known' && second === 'smart-configuration' && segments.length === 2) {
    return verb === 'GET'
      ? found({ kind: 'smart-configuration' })
      : otherMethod(verb, ['GET', 'HEAD'])
  }
  if (!isResourceType(first)) {
    return notFound(
      /^[A-Za-z]+$/.test(first)
        ? `there is no resource type \`${first.slice(0, 64)}\` in FHIR R4`
        : 'there is nothing at this path',
      'resource types are written as in the specification, such as `Observation`; /metadata lists them',
    )
  }
  const type = first

  if (second === undefined) {
    if (verb === 'GET') return found({ kind: 'search-type', type, form: false })
    if (verb === 'POST') return found({ kind: 'create', type })
    if (verb === 'PUT' || verb === 'DELETE' || verb === 'PATCH') {
      return otherMethod(verb, TYPE_METHODS, 'conditional update, patch and delete are not offered')
    }
    return otherMethod(verb, TYPE_METHODS)
  }
  if (second === '_search' && segments.length === 2) {
    return verb === 'POST'
      ? found({ kind: 'search-type', type, form: true })
      : otherMethod(verb, ['POST'])
  }
  if (second.startsWith('_') || second.startsWith('$')) {
    return notFound(
      `\`${second.slice(0, 64)}\` is not offered on ${type}`,
      '/metadata lists what is offered',
    )
  }
  if (!ID.test(second)) {
    return {
      ok: false,
      status: 404,
      why: 'this is not a resource id',
      fix: 'an id has 1 to 64 characters out of A-Z, a-z, 0-9, `-` and `.`',
    }
  }
  const id = second
  if (third === undefined) {
    if (verb === 'GET') return found({ kind: 'read', type, id })
    if (verb === 'PUT') return found({ kind: 'update', type, id })
    if (verb === 'DELETE') return found({ kind: 'delete', type, id })
    return otherMethod(
      verb,
      INSTANCE_METHODS,
      verb === 'PATCH' ? 'patch is not offered' : undefined,
    )
  }
  if (third === '_history' && segments.length === 3) {
    return verb === 'GET'
      ? found({ kind: 'history-instance', type, id })
      : otherMethod(verb, ['GET', 'HEAD'])
  }
  if (third === '_history' && segments.length === 4) {
    if (verb !== 'GET') return otherMethod(verb, ['GET', 'HEAD'])
    if (VERSION.test(fourth!)) {
      return found({ kind: 'vread', type, id, versionId: Number(fourth) })
    }
    return notFound('there is no such version', 'versions are numbered from 1')
  }
  return notFound('there is nothing at this path', '/metadata lists what is offered')
}

const TYPE_METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS'] as const
const INSTANCE_METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'] as const

function found(interaction: Interaction): Classified {
  return { ok: true, interaction }
}

function notFound(why: string, fix: string): Classified {
  return { ok: false, status: 404, why, fix }
}

function otherMethod(verb: string, allow: readonly string[], why?: string): Classified {
  if (verb === 'OPTIONS')
    return found({ kind: 'options', allow: [...new Set([...allow, 'OPTIONS'])] })
  return {
    ok: false,
    status: 405,
    why: why ?? `the method ${verb.slice(0, 20)} is not offered here`,
    fix: `use one of ${allow.join(', ')}`,
    allow,
  }
}
