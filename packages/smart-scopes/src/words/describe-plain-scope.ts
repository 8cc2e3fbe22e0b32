import type { ScopeDescription } from '../describe-scope.ts'
import type { PlainWords, ScopeWords } from './scope-words.ts'
import { fill, lookUp, showText } from './show-text.ts'

type Described = Omit<ScopeDescription, 'scope' | 'categories'>

const KINDS: Readonly<Record<string, Described['kind']>> = {
  launch: 'launch',
  'launch/patient': 'launch',
  'launch/encounter': 'launch',
  offline_access: 'offline',
  online_access: 'online',
}

/** A scope that gives no access to resources. */
export function describePlainScope(value: string, words: ScopeWords): Described {
  const plain = lookUp(words.plain, value)
  if (plain !== undefined) {
    const kind = lookUp(KINDS, value) ?? 'identity'
    return { ...plain, kind, sensitive: kind === 'offline' }
  }
  const [, area, access] = /^admin\/([a-z]+)\.(read|write)$/.exec(value) ?? []
  if (area !== undefined) {
    const known = lookUp(words.adminAreas, area) ?? area
    const phrases = words.adminAccess[access as 'read' | 'write']
    return { ...filled(phrases, { area: known }), kind: 'admin', sensitive: true }
  }
  const [, launched] = /^launch\/(.+)$/.exec(value) ?? []
  if (launched !== undefined) {
    const phrases = filled(words.otherLaunch, { type: showText(launched) })
    return { ...phrases, kind: 'launch', sensitive: false }
  }
  const phrases = filled(words.unknown, { scope: showText(value) })
  return { ...phrases, kind: 'unknown', sensitive: true }
}

function filled(phrases: PlainWords, values: Readonly<Record<string, string>>): PlainWords {
  return { title: fill(phrases.title, values), detail: fill(phrases.detail, values) }
}
