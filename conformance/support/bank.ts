import { json } from 'node:stream/consumers'
import { openUpstream, type TestUpstream } from './upstream.ts'

/**
 * The bank of problem 4: balances by user, who is known by a header that only the gateway sets.
 * It checks no token.
 */
export async function openBank(): Promise<TestUpstream> {
  const accounts = new Map([
    ['ACCT-1', 5],
    ['ACCT-2', 0],
  ])
  return openUpstream(async (request, response) => {
    const user = String(request.headers['x-user'] ?? '')
    const account = user.endsWith('2') ? 'ACCT-2' : 'ACCT-1'
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (request.url === '/checkbalance') return answer(200, { dollars: accounts.get(account) })
    if (request.url === '/whoami') {
      const {
        'x-user': name,
        'x-roles': roles,
        'x-scopes': scopes,
        'x-identity': jwt,
      } = request.headers
      return answer(200, { name, roles, scopes, jwt, authorization: request.headers.authorization })
    }
    if (request.url === '/transfer' && request.method === 'POST') {
      const { toAccount, dollars } = (await json(request)) as { toAccount: string; dollars: number }
      accounts.set(account, (accounts.get(account) ?? 0) - dollars)
      accounts.set(toAccount, (accounts.get(toAccount) ?? 0) + dollars)
      return answer(200, { ok: true })
    }
    return answer(404, {})
  })
}
