import {
  describeScope,
  SCOPE_WORDS,
  type ScopeChoice,
  type ScopeKind,
} from '@scopegate/smart-scopes'
import type { ConsentItem } from '../pages/consent-page.ts'

export interface DescribedScope
  extends Pick<ConsentItem, 'title' | 'detail' | 'group' | 'sensitive'> {
  readonly kinds: readonly {
    readonly scope: string
    readonly title: string
    readonly sensitive: boolean
  }[]
}

const GROUPS = {
  read: 'read',
  write: 'write',
  both: 'both',
  identity: 'identity',
  offline: 'offline',
  online: 'offline',
  launch: 'other',
  admin: 'other',
  unknown: 'other',
} as const satisfies Record<ScopeKind, ConsentItem['group']>

function kindOf({ scope, name, sensitive }: ScopeChoice) {
  return { scope, title: name.charAt(0).toLocaleUpperCase() + name.slice(1), sensitive }
}

/**
 * A scope in the words of a page; `self`: the reader is the patient.
 * @param told what the API that has named the scope says of it
 */
export function scopeWords(
  scope: string,
  page: { readonly language: string; readonly self: boolean },
  told?: string,
): DescribedScope {
  if (told !== undefined) {
    const detail = told === scope ? '' : scope
    return { title: told, detail, sensitive: false, group: 'other', kinds: [] }
  }
  const languages: Readonly<Record<string, (typeof SCOPE_WORDS)['en']>> = SCOPE_WORDS
  const described = describeScope(scope, {
    words: languages[page.language] ?? SCOPE_WORDS.en,
    ...(page.self ? { perspective: 'self' as const } : {}),
  })
  const { title, detail, kind, sensitive, categories = [] } = described
  // That access lasts has a group of its own, which says so.
  const marked = sensitive && GROUPS[kind] !== 'offline'
  return { title, detail, sensitive: marked, group: GROUPS[kind], kinds: categories.map(kindOf) }
}
