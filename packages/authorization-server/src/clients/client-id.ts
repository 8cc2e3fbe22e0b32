import { randomBytes } from 'node:crypto'
import type { RegistrationProblem } from './check-registration.ts'

/** What keeps an id from being given to a client. */
export function idProblems(id: string): RegistrationProblem[] {
  if (!/^[A-Za-z0-9._~-]{1,128}$/.test(id)) {
    return [
      {
        member: 'clientId',
        why: 'holds characters that OAuth libraries encode differently',
        fix: 'use letters, digits and . _ ~ -, at most 128',
      },
    ]
  }
  // The `sub` of a program is its client id: it must never look like the one of a user.
  const reserved = ['usr_', 'u_', 'scopegate-'].find((prefix) => id.startsWith(prefix))
  return reserved === undefined
    ? []
    : [
        {
          member: 'clientId',
          why: `begins with \`${reserved}\`, which is kept`,
          fix: 'choose another',
        },
      ]
}

/** A readable id that cannot be guessed to be somebody else's: the name, and 36 random bits. */
export function newClientId(name: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const random = randomBytes(5).toString('hex').slice(0, 9)
  const kept = words.startsWith('scopegate-') ? `client-${words}` : words
  return `${kept.slice(0, 40) || 'client'}-${random}`
}
