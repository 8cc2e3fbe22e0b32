import {
  type Access,
  type Clause,
  LETTERS,
  type Letter,
  type Predicate,
  type SearchValue,
} from '@scopegate/fhir-model'

/** What a token permits on some types, in words. */
export interface AccessDescription {
  readonly types: readonly string[]
  /** Letter groups with the same limits: `rs` and where. */
  readonly permits: readonly { readonly letters: string; readonly where: string }[]
}

const VERBS: Readonly<Record<Letter, string>> = {
  c: 'create',
  r: 'read',
  u: 'update',
  d: 'delete',
  s: 'search',
}

/** What the Access permits, types with the same limits together. Names patients by id: for operators. */
export function describeAccess({ allowed }: Access): readonly AccessDescription[] {
  const types = [...new Set(LETTERS.flatMap((letter) => [...allowed[letter].keys()]))].sort()
  const groups = new Map<string, { types: string[]; permits: AccessDescription['permits'] }>()
  for (const type of types) {
    const byLimit = new Map<string, string>()
    for (const letter of LETTERS) {
      const predicate = allowed[letter].get(type)
      if (predicate === undefined) continue
      const where = describePredicate(predicate)
      byLimit.set(where, `${byLimit.get(where) ?? ''}${letter}`)
    }
    const permits = [...byLimit].map(([where, letters]) => ({ letters, where }))
    const key = JSON.stringify(permits)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { types: [type], permits })
    else group.types.push(type)
  }
  return [...groups.values()]
}

/** The descriptions as lines: `Observation: read, search: category laboratory …`. */
export function formatAccessDescription(descriptions: readonly AccessDescription[]): string {
  return descriptions
    .flatMap(({ types, permits }) => {
      const names =
        types.length > 6
          ? `${types.slice(0, 6).join(', ')} and ${types.length - 6} more types`
          : types.join(', ')
      return permits.map(
        ({ letters, where }) =>
          `${names}: ${[...letters].map((letter) => VERBS[letter as Letter]).join(', ')} ${where}`,
      )
    })
    .join('\n')
}

/** A predicate in words; total and exact enough to compare. */
export function describePredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'all':
      return 'everything'
    case 'none':
      return 'nothing'
    case 'and':
      return predicate.of
        .map((part) =>
          part.kind === 'or' ? `(${describePredicate(part)})` : describePredicate(part),
        )
        .join(' and ')
    case 'or':
      return predicate.of
        .map((part) =>
          part.kind === 'and' ? `(${describePredicate(part)})` : describePredicate(part),
        )
        .join(' or ')
    case 'id':
      return `with id ${predicate.ids.join(' or ')}`
    case 'clause':
      return describeClause(predicate)
    case 'compartment':
      return `in the record of Patient/${predicate.id}${predicate.mode === 'guarded' ? '' : ` (${predicate.mode})`}`
    case 'no-foreign-patient':
      return 'without references to other patients'
    case 'visible-via':
      return {
        targets: 'whose target is visible',
        attachments: 'that a visible document points to',
        referrers: 'that something visible refers to',
        entries: 'whose entries are all visible',
      }[predicate.rule]
  }
}

function describeClause({ param, modifier, values }: Clause): string {
  return `where ${param}${modifier === undefined ? '' : `:${modifier}`} is ${values.map(describeValue).join(' or ')}`
}

function describeValue(value: SearchValue): string {
  switch (value.kind) {
    case 'token':
    case 'identifier': {
      const code = value.kind === 'token' ? value.code : value.value
      return value.system === undefined ? (code ?? 'anything') : `${value.system}|${code ?? ''}`
    }
    case 'string':
      return value.text
    case 'uri':
      return value.uri
    case 'reference':
      return value.url ?? [value.type, value.id].filter((part) => part !== undefined).join('/')
    case 'date':
      return `${value.prefix} ${new Date(value.fromMs).toISOString()}`
    case 'number':
    case 'quantity':
      return `${value.prefix} ${value.value}`
    case 'missing':
      return value.missing ? 'missing' : 'present'
    case 'of-type':
      return `${value.system}|${value.code}|${value.value}`
    case 'composite':
      return value.parts.map(describeValue).join('$')
  }
}
