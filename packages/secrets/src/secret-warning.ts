/** What was seen about a value that resolved. */
export type SecretWarningCode =
  | 'newline_trimmed'
  | 'bom_trimmed'
  | 'whitespace'
  | 'quotes'
  | 'not_replaced'
  | 'placeholder'
  | 'secret_id'
  | 'hyphenated_name'
  | 'written_twice'
  | 'literal'

/** For the operator; never holds the value. */
export interface SecretWarning {
  readonly code: SecretWarningCode
  /** `note`: it was put right. `warn`: it was left as it is, and deserves a look. */
  readonly level: 'note' | 'warn'
  readonly text: string
}

export function note(code: SecretWarningCode, text: string): SecretWarning {
  return { code, level: 'note', text }
}

export function warn(code: SecretWarningCode, text: string): SecretWarning {
  return { code, level: 'warn', text }
}
