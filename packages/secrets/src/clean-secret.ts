import { note, type SecretWarning, warn } from './secret-warning.ts'

/** What the value is meant to be, where that shows more mistakes. */
export type SecretMeaning =
  | 'entra-client-secret'
  /** A file of it may be binary (PFX, DER): its value is base64 then. */
  | 'private-key'

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Takes off what editors and shells put around a secret, and says so: a byte order mark in front,
 * newlines at the end. What may belong to it stays, with a warning.
 */
export function cleanSecret(
  text: string,
  meaning?: SecretMeaning,
): { readonly value: string; readonly warnings: readonly SecretWarning[] } {
  const warnings: SecretWarning[] = []
  let value = text
  if (value.startsWith('\uFEFF')) {
    value = value.slice(1)
    warnings.push(note('bom_trimmed', 'a byte order mark in front of it was left out'))
  }
  const trimmed = value.replace(/[\r\n]+$/, '')
  if (trimmed !== value) {
    const what = value.slice(trimmed.length).includes('\r') ? 'line break (CRLF)' : 'line break'
    warnings.push(
      note('newline_trimmed', `the ${what} at its end was left out; \`printf %s\` writes none`),
    )
  }
  return { value: trimmed, warnings: [...warnings, ...findOddities(trimmed, meaning)] }
}

function findOddities(value: string, meaning: SecretMeaning | undefined): SecretWarning[] {
  const found: SecretWarning[] = []
  if (value.trim() !== value) {
    found.push(warn('whitespace', 'it begins or ends with white space, which was kept'))
  }
  if (/^(["'`]).*\1$/s.test(value.trim()) && value.trim().length > 1) {
    found.push(
      warn('quotes', 'it stands in quotes, which were kept: `docker --env-file` passes them on'),
    )
  }
  if (/\$\{[A-Za-z_]|\{\{[^}]*\}\}|\$\([^)]*\)|^%[A-Za-z_]\w*%$|^\$[A-Za-z_]\w*$/.test(value)) {
    found.push(
      warn('not_replaced', 'it holds a variable such as `$NAME` that nothing has replaced'),
    )
  }
  if (/^(<.*>|change[-_ ]?me|todo|xxx+|\*{3,}|your[-_ ].*|replace[-_ ]?me)$/i.test(value)) {
    found.push(warn('placeholder', 'it looks like the placeholder of an example'))
  }
  if (meaning === 'entra-client-secret' && GUID.test(value)) {
    found.push(
      warn(
        'secret_id',
        'it looks like the *Secret ID* of Entra, not like a secret: copy the column *Value*, which is shown once, when the secret is made',
      ),
    )
  }
  return found
}
