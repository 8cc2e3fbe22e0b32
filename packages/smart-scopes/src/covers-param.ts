import { searchParameter } from '@scopegate/fhir-model'
import type { ScopeParam } from './scope.ts'

/**
 * Whether whatever fits `narrow` fits `wide` too, on `type`: each alternative of `narrow` is within
 * one of `wide`. For `*` only equal alternatives count, since a name may mean different things.
 */
export function coversParam(wide: ScopeParam, narrow: ScopeParam, type: string): boolean {
  if (wide.name !== narrow.name) return false
  const isToken = type !== '*' && searchParameter(type, wide.name)?.type === 'token'
  return narrow.values.every((value) =>
    wide.values.some((other) => other === value || (isToken && coversToken(other, value))),
  )
}

/** `code` covers `system|code` and `|code`; `system|` covers `system|code`. */
function coversToken(wide: string, narrow: string): boolean {
  const [wideSystem, wideCode] = splitToken(wide)
  const [narrowSystem, narrowCode] = splitToken(narrow)
  if (wideSystem === undefined) return wideCode === narrowCode
  return wideSystem !== '' && wideCode === '' && wideSystem === narrowSystem
}

/** The system is `undefined` where none is asked for. */
function splitToken(value: string): readonly [system: string | undefined, code: string] {
  const match = /^((?:[^\\|]|\\.)*)\|(.*)$/su.exec(value)
  return match === null ? [undefined, value] : [match[1]!, match[2]!]
}
