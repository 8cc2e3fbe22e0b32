import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import { type PasswordOptions, readPassword } from '../read-password.ts'
import { describe, stateOf, tellNotes, type UserAnswer, withPassword } from './user/user-answer.ts'

interface CommonOptions {
  readonly url?: string
  readonly json?: boolean
}

interface Attributes {
  readonly name?: string
  readonly email?: string
  readonly fhirUser?: string
  readonly locale?: string
  readonly role?: readonly string[]
}

const ARGUMENT = 'user name or id'

export function addUser(program: Command, context: CliContext): void {
  const user = program
    .command('user')
    .description('Add, list, show, change and remove the people who sign in')
    .addHelpText(
      'after',
      `
Examples:
  scopegate user add anna --name "Anna Example" --fhir-user Practitioner/1
  scopegate user list
  scopegate user passwd anna
  scopegate user disable anna`,
    )

  passwords(attributes(common(user.command('add').argument('<username>', 'what the user types'))))
    .description('Add a user; without a password a one-time password is made and shown once')
    .option('--without-password', 'the user signs in at another issuer only')
    .addHelpText(
      'after',
      `
There is no user before the first is added, and no default password. A one-time password is replaced
by the user at the first sign-in.

Examples:
  scopegate user add anna --name "Anna Example" --fhir-user Practitioner/1
  scopegate user add root --role admin --password-prompt
  scopegate user add pat --fhir-user Patient/123 --locale de-AT --password-stdin < password.txt`,
    )
    .action(
      async (
        username: string,
        options: CommonOptions & Attributes & PasswordOptions & { withoutPassword?: boolean },
      ) => {
        const password = await readPassword(context, options)
        if (options.withoutPassword && password !== undefined) {
          throw new CliError('--without-password excludes a password')
        }
        const admin = await connectAdmin(context, options.url, 'admin/users.write')
        const added = await admin.call<UserAnswer>('POST', '/users', {
          username,
          ...members(options),
          ...(password !== undefined && { password }),
          ...(options.withoutPassword && { password: null }),
        })
        print(context, options.json === true, added, withPassword(added, admin.url))
        if (!options.json) tellNotes(context, added)
      },
    )

  common(user.command('list').description('List users'))
    .option('--text <text>', 'part of a user name, a name or an e-mail address')
    .addHelpText(
      'after',
      '\nExamples:\n  scopegate user list\n  scopegate user list --text anna --json',
    )
    .action(async (options: CommonOptions & { text?: string }) => {
      const admin = await connectAdmin(context, options.url, 'admin/users.read')
      const users: UserAnswer[] = []
      let cursor: string | undefined
      do {
        const query = new URLSearchParams({
          count: '1000',
          ...(options.text !== undefined && { text: options.text }),
          ...(cursor !== undefined && { cursor }),
        })
        const page = await admin.call<{ users: UserAnswer[]; next?: string }>(
          'GET',
          `/users?${query}`,
        )
        users.push(...page.users)
        cursor = page.next
      } while (cursor !== undefined)
      const rows = users.map((row) => [
        row.username,
        row.name,
        row.fhir_user ?? '',
        row.roles.join(', '),
        stateOf(row),
        row.id,
      ])
      const header = ['username', 'name', 'fhirUser', 'roles', 'state', 'id']
      print(context, options.json === true, users, formatTable(header, rows))
    })

  common(user.command('show').description('Show a user').argument('<user>', ARGUMENT))
    .addHelpText('after', '\nExample:\n  scopegate user show anna')
    .action(async (name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/users.read')
      const shown = await admin.call<UserAnswer>('GET', address(name))
      print(context, options.json === true, shown, describe(shown))
    })

  attributes(common(user.command('set').argument('<user>', ARGUMENT)))
    .description('Change a user; an empty text clears')
    .option('--username <username>', 'what the user types from now on')
    .option('--no-roles', 'take all roles')
    .addHelpText(
      'after',
      `
Examples:
  scopegate user set anna --fhir-user Practitioner/1
  scopegate user set anna --role clinician --role admin
  scopegate user set anna --email ""`,
    )
    .action(
      async (
        name: string,
        options: CommonOptions & Attributes & { username?: string; roles: boolean },
      ) => {
        const changes = {
          ...members(options),
          ...(options.username !== undefined && { username: options.username }),
          ...(!options.roles && { roles: [] }),
        }
        if (Object.keys(changes).length === 0) {
          throw new CliError('nothing is to be changed', {
            fix: 'say what, as in: scopegate user set anna --fhir-user Practitioner/1',
          })
        }
        const admin = await connectAdmin(context, options.url, 'admin/users.write')
        const changed = await admin.call<UserAnswer>('PATCH', address(name), changes)
        print(context, options.json === true, changed, describe(changed))
        if (!options.json) tellNotes(context, changed)
      },
    )

  passwords(common(user.command('passwd').argument('<user>', ARGUMENT)))
    .description('Give a user another password; without one a one-time password is made')
    .addHelpText(
      'after',
      `
Signs the user out everywhere. What apps were granted stays.

Examples:
  scopegate user passwd anna
  scopegate user passwd anna --password-prompt`,
    )
    .action(async (name: string, options: CommonOptions & PasswordOptions) => {
      const password = await readPassword(context, options)
      const admin = await connectAdmin(context, options.url, 'admin/users.write')
      const changed = await admin.call<UserAnswer>(
        'POST',
        `${address(name)}/password`,
        password === undefined ? {} : { password },
      )
      print(context, options.json === true, changed, withPassword(changed, admin.url))
    })

  for (const disabled of [true, false]) {
    const verb = disabled ? 'disable' : 'enable'
    const effect = disabled
      ? 'Refuse sign-ins of a user; ends sessions and what apps were granted'
      : 'Let a user sign in again'
    common(user.command(verb).description(effect).argument('<user>', ARGUMENT))
      .addHelpText('after', `\nExample:\n  scopegate user ${verb} anna`)
      .action(async (name: string, options: CommonOptions) => {
        const admin = await connectAdmin(context, options.url, 'admin/users.write')
        const changed = await admin.call<UserAnswer>('PATCH', address(name), { disabled })
        print(context, options.json === true, changed, `${verb}d ${changed.username}`)
      })
  }

  common(user.command('reset-2fa').argument('<user>', ARGUMENT))
    .description('Take off authenticator app, passkeys and recovery codes')
    .addHelpText(
      'after',
      `
For somebody who lost the phone: be sure who asks, the password alone signs in afterwards. Signs the
user out everywhere.

Example:
  scopegate user reset-2fa anna`,
    )
    .action(async (name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/users.write')
      const changed = await admin.call<UserAnswer>('DELETE', `${address(name)}/second-factors`)
      print(context, options.json === true, changed, `${changed.username} has no second factor`)
    })

  common(user.command('sign-out').argument('<user>', ARGUMENT))
    .description('End all sessions of a user; what apps were granted stays')
    .addHelpText('after', '\nExample:\n  scopegate user sign-out anna')
    .action(async (name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/users.write')
      const done = await admin.call<{ ended: number }>('DELETE', `${address(name)}/sessions`)
      print(context, options.json === true, done, `ended ${done.ended} sessions of ${name}`)
    })

  common(user.command('remove').argument('<user>', ARGUMENT))
    .description('Remove a user with sessions and what apps were granted')
    .addHelpText(
      'after',
      `
Somebody who signs in at another issuer is added anew at the next sign-in there: disable instead.

Example:
  scopegate user remove anna`,
    )
    .action(async (name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/users.write')
      const removed = await admin.call('DELETE', address(name))
      print(context, options.json === true, removed, `removed ${name}`)
    })
}

function common(command: Command): Command {
  return command
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
}

function attributes(command: Command): Command {
  return command
    .option('--name <name>', 'how people call the user')
    .option('--email <address>', 'for display; never a key to the account')
    .option('--fhir-user <reference>', 'who the user is in the FHIR data, such as Practitioner/1')
    .option('--role <role>', 'may be repeated', (role: string, roles: string[] = []) => [
      ...roles,
      role,
    ])
    .option('--locale <tag>', 'language of the pages, such as de-AT')
}

function passwords(command: Command): Command {
  return command
    .option('--password-prompt', 'ask for the password on the terminal, without echo')
    .option('--password-stdin', 'read the password from the first line of standard input')
}

/** As the admin API has them; empty text clears. */
function members({ name, email, fhirUser, locale, role }: Attributes) {
  const orNull = (text: string) => (text === '' ? null : text)
  return {
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email: orNull(email) }),
    ...(fhirUser !== undefined && { fhir_user: orNull(fhirUser) }),
    ...(locale !== undefined && { locale: orNull(locale) }),
    ...(role !== undefined && { roles: role }),
  }
}

function address(user: string): string {
  return `/users/${encodeURIComponent(user)}`
}
