import type { SecondFactor, User } from '../user.ts'

/** A user as read with {@link USER_COLUMNS}. */
export interface UserRow {
  readonly id: string
  readonly username: string
  readonly name: string
  readonly email: string | null
  readonly fhir_user: string | null
  readonly roles: string[]
  readonly locale: string | null
  readonly disabled: boolean
  readonly sealed_password: string | null
  readonly must_change_password: boolean
  readonly password_set_ms: number | null
  readonly created_ms: number
  readonly has_totp: boolean
  readonly has_passkey: boolean
}

/** Of `identity_user AS u`. */
export const USER_COLUMNS = `
  u.id, u.username, u.name, u.email, u.fhir_user, u.roles, u.locale, u.disabled,
  u.sealed_password, u.must_change_password, u.password_set_ms, u.created_ms,
  EXISTS (SELECT FROM identity_totp t WHERE t.user_id = u.id AND t.sealed_secret IS NOT NULL) AS has_totp,
  EXISTS (SELECT FROM identity_passkey p WHERE p.user_id = u.id) AS has_passkey`

/** Without what is secret. */
export function toUser(row: UserRow): User {
  const secondFactors: SecondFactor[] = []
  if (row.has_totp) secondFactors.push('totp')
  if (row.has_passkey) secondFactors.push('passkey')
  return {
    id: row.id,
    username: row.username,
    name: row.name,
    ...(row.email !== null && { email: row.email }),
    ...(row.fhir_user !== null && { fhirUser: row.fhir_user }),
    roles: row.roles,
    disabled: row.disabled,
    ...(row.locale !== null && { locale: row.locale }),
    secondFactors,
    mustChangePassword: row.must_change_password,
    hasPassword: row.sealed_password !== null,
    createdAt: Math.floor(row.created_ms / 1000),
  }
}
