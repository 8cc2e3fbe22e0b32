import { FHIR_USER_SHAPE, isFhirUser } from '../fhir-user.ts'
import type { UserChanges } from '../user.ts'
import { parseUsername } from '../username.ts'

/** Columns and their values. */
export type Columns = Readonly<Record<string, string | boolean | readonly string[] | null>>

export type ParsedAttributes =
  | { readonly ok: true; readonly columns: Columns }
  | { readonly ok: false; readonly status: 400; readonly why: string; readonly fix?: string }

/** One line without blanks at its ends: directories have roles such as `CN=Ward 3,DC=example`. */
const isRole = (text: string) => isLine(text, 100) && text.trim() === text

/** Judges what is about to be stored of a user; the first thing wrong is named. */
export function parseAttributes(changes: UserChanges): ParsedAttributes {
  const columns: Record<string, Columns[string]> = {}
  const { username, name, email, fhirUser, roles, locale, disabled } = changes
  if (username !== undefined) {
    const parsed = parseUsername(username)
    if (!parsed.ok)
      return refuse(
        `the user name cannot be used: ${parsed.why}`,
        'choose one of 1 to 100 characters without blanks, such as `anna.example`',
      )
    columns.username = parsed.username
    columns.username_key = parsed.key
  }
  if (name !== undefined) {
    if (!isLine(name, 200)) return refuse('the name must be one line of 1 to 200 characters')
    columns.name = name.trim()
  }
  if (email !== undefined) {
    if (email !== null && !(isLine(email, 254) && /^[^\s@]+@[^\s@]+$/.test(email))) {
      return refuse('the e-mail address is none', 'write it as name@host')
    }
    columns.email = email
  }
  if (fhirUser !== undefined) {
    if (fhirUser !== null && !isFhirUser(fhirUser)) {
      return refuse('the fhirUser is no reference to a person', `write ${FHIR_USER_SHAPE}`)
    }
    columns.fhir_user = fhirUser
  }
  if (roles !== undefined) {
    const bad = roles.find((role) => !isRole(role))
    if (bad !== undefined || roles.length > 100) {
      return refuse(
        bad === undefined
          ? 'there are more than 100 roles'
          : `the role ${JSON.stringify(bad.slice(0, 100))} cannot be used`,
        'a role is one line of 1 to 100 characters',
      )
    }
    columns.roles = [...new Set(roles)].sort()
  }
  if (locale !== undefined) {
    const known = locale === null ? null : canonicalLocale(locale)
    if (known === undefined) {
      return refuse('the locale is no language tag', 'write it as in BCP 47, such as `de-AT`')
    }
    columns.locale = known
  }
  if (disabled !== undefined) columns.disabled = disabled
  return { ok: true, columns }
}

function refuse(why: string, fix?: string): ParsedAttributes {
  return { ok: false, status: 400, why, ...(fix !== undefined && { fix }) }
}

function isLine(text: string, max: number): boolean {
  return text.trim() !== '' && text.length <= max && !/\p{Cc}/u.test(text)
}

function canonicalLocale(text: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(text)[0]
  } catch {
    return undefined
  }
}
