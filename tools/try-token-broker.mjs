// What a program of somebody else does with the library, at a token endpoint of its own.
// `npm run build -- --check` runs it where only the packed packages are installed.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { compileConnection, createTokenBroker, TokenUnavailable } from '@scopegate/token-broker'

let requests = 0
const provider = createServer((request, response) => {
  requests += 1
  const secret = Buffer.from((request.headers.authorization ?? '').slice(6), 'base64').toString()
  const isKnown = secret === 'lab-reader:right'
  response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
  const token = { access_token: 'one', token_type: 'Bearer', expires_in: 300 }
  response.end(JSON.stringify(isKnown ? token : { error: 'invalid_client' }))
})
await new Promise((resolve) => provider.listen(0, '127.0.0.1', resolve))
const tokenEndpoint = `http://127.0.0.1:${provider.address().port}/token`
const brokerWith = (secret) =>
  createTokenBroker({
    connections: [
      compileConnection(
        {
          name: 'lab',
          tokenEndpoint,
          clientId: 'lab-reader',
          authentication: { method: 'client_secret_basic' },
        },
        { secrets: () => [secret] },
      ),
    ],
  })
const broker = brokerWith('right')
const tokens = await Promise.all(Array.from({ length: 50 }, () => broker.getToken('lab')))
assert.ok(tokens.every(({ accessToken }) => accessToken === 'one'))
assert.equal(requests, 1)
await broker.close()
const refused = brokerWith('wrong')
await assert.rejects(
  refused.getToken('lab'),
  (error) => error instanceof TokenUnavailable && error.failure.code === 'oauth_invalid_client',
)
await refused.close()
provider.close()
