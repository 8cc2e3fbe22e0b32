import { CHECK_ORDER, type Check, type CheckName, passed } from '@scopegate/checks'
import type { Issuer } from './issuer.ts'
import type { VerificationKey } from './key-source.ts'
import { shown } from './shown.ts'

/** What a good token has passed, in order. Lists are shared: most requests make no other. */
const ALL_PASSED: readonly Check[] = Object.freeze(
  CHECK_ORDER.slice(0, CHECK_ORDER.indexOf('scopes')).map((name) => passed(name)),
)

/** What an opaque token has instead is the word of its issuer. */
const NOT_OF_OPAQUE: ReadonlySet<CheckName> = new Set(['algorithm', 'key', 'signature', 'type'])
export const OPAQUE_PASSED: readonly Check[] = Object.freeze(
  ALL_PASSED.map(
    (check): Check =>
      NOT_OF_OPAQUE.has(check.name)
        ? { name: check.name, outcome: 'skipped', got: 'not applicable: the token is opaque' }
        : check,
  ),
)

const passedByKey = new WeakMap<VerificationKey, Map<string, readonly Check[]>>()

/** The same for all tokens of one key, with what explains them: issuer, algorithm, key. */
export function passedWith(issuer: Issuer, alg: string, key: VerificationKey): readonly Check[] {
  const lists = passedByKey.get(key) ?? new Map<string, readonly Check[]>()
  passedByKey.set(key, lists)
  const name = `${alg} ${issuer.issuer}`
  const known = lists.get(name)
  if (known !== undefined) return known
  const got: Partial<Record<CheckName, string>> = {
    issuer_known: shown(issuer.issuer),
    algorithm: alg,
    key: key.kid === undefined ? 'the only one that fits' : shown(key.kid),
  }
  const list = Object.freeze(
    ALL_PASSED.map((check) => {
      const detail = got[check.name]
      return detail === undefined ? check : passed(check.name, { got: detail })
    }),
  )
  lists.set(name, list)
  return list
}
