import { type CliContext, formatTable } from '../../context.ts'

/** A user as the admin API answers. */
export interface UserAnswer {
  readonly id: string
  readonly username: string
  readonly name: string
  readonly email?: string
  readonly fhir_user?: string
  readonly roles: readonly string[]
  readonly disabled: boolean
  readonly second_factors: readonly string[]
  readonly must_change_password: boolean
  readonly has_password: boolean
  readonly one_time_password?: string
  /** What to know though it was done. */
  readonly notes?: readonly { readonly what: string; readonly fix?: string }[]
}

/** How the user signs in, in words. */
export function stateOf(user: UserAnswer): string {
  if (user.disabled) return 'disabled'
  if (!user.has_password) return 'signs in elsewhere'
  if (user.must_change_password) return 'one-time password'
  return user.second_factors.length > 0 ? `password, ${user.second_factors.join(', ')}` : 'password'
}

export function tellNotes(context: CliContext, { notes = [] }: UserAnswer): void {
  for (const { what, fix } of notes) {
    context.stderr.write(`\nnote: ${what}\n${fix === undefined ? '' : `  fix: ${fix}\n`}`)
  }
}

/** All that is known of the user, for people to read. */
export function describe(user: UserAnswer): string {
  const rows = [
    ['id', user.id],
    ['username', user.username],
    ['name', user.name],
    ['email', user.email ?? ''],
    ['fhirUser', user.fhir_user ?? ''],
    ['roles', user.roles.join(', ')],
    ['state', stateOf(user)],
  ].filter(([, value]) => value !== '')
  return formatTable(['', ''], rows).trim()
}

/** The same with the one-time password, which is shown this once. */
export function withPassword(user: UserAnswer, url: string): string {
  if (user.one_time_password === undefined) return describe(user)
  return [
    describe(user),
    '',
    `one-time password  ${user.one_time_password}`,
    '',
    `It is not shown again. Sign in at ${url}/account within a week and choose another.`,
  ].join('\n')
}
