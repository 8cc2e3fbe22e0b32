// A bank that knows nothing of OAuth: two accounts, and who is asking in a header that only the
// gateway can set. It listens on loopback, so that nobody reaches it past the gateway.
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

/** @param {number} port 0: any that is free */
export function startBank(port) {
  const balances = new Map([
    ['ACCT-1', 5],
    ['ACCT-2', 0],
  ])
  const server = createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(`${JSON.stringify(body)}\n`)
    }
    const user = request.headers['x-user']
    // user1 owns ACCT-1, user2 owns ACCT-2; apps without a user look after ACCT-1.
    const account = user === 'user2' ? 'ACCT-2' : 'ACCT-1'
    switch (`${request.method} ${request.url}`) {
      case 'GET /checkbalance':
        return answer(200, { dollars: balances.get(account) })
      case 'POST /transfer': {
        const { toAccount, dollars } = await json(request).catch(() => ({}))
        if (!balances.has(toAccount) || !Number.isInteger(dollars) || dollars <= 0) {
          return answer(400, { error: 'toAccount and whole dollars, please' })
        }
        if (balances.get(account) < dollars) return answer(409, { error: 'not enough money' })
        balances.set(account, balances.get(account) - dollars)
        balances.set(toAccount, balances.get(toAccount) + dollars)
        return answer(200, { dollars: balances.get(account) })
      }
    }
    return answer(404, { error: 'no such page' })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
