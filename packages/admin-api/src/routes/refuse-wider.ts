import type { VerifiedToken } from '@scopegate/oauth-model'
import { AdminProblem } from '../problem.ts'

/**
 * Who may manage clients may not become more than that by way of a client: admin scopes are given,
 * and what authenticates clients that have them replaced, only by those who have them.
 */
export function refuseWider(scopes: string, token: VerifiedToken): void {
  const own = token.scope.split(' ')
  const beyond = scopes
    .split(' ')
    .filter((scope) => scope.startsWith('admin/') && !own.includes(scope))
  if (beyond.length === 0) return
  throw new AdminProblem(
    403,
    `the client would have scopes that your token does not: ${beyond.join(' ').slice(0, 500)}`,
    'use a token that has them, such as the one of the command line',
  )
}
