#!/usr/bin/env node
// Signs somebody in, by authorization code with PKCE in the browser, and prints the access token.
//
//   CLIENT_SECRET=… node examples/bank/sign-in.mjs bank-demo ["bank.balance.read bank.transfer.write"]
import { once } from 'node:events'
import { createServer } from 'node:http'
import * as client from 'openid-client'

const [clientId = 'bank-demo', scope = 'bank.balance.read bank.transfer.write'] =
  process.argv.slice(2)
const server = process.env.BANK_URL ?? 'http://127.0.0.1:8080'
const redirectUri = process.env.REDIRECT_URI ?? 'http://127.0.0.1:9010/callback'

const config = await client.discovery(
  new URL(server),
  clientId,
  process.env.CLIENT_SECRET,
  undefined,
  // Plain http is for loopback only.
  { execute: [client.allowInsecureRequests] },
)
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: `openid profile ${scope}`,
  resource: `${server}/bank`,
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
})

const listener = createServer().listen(Number(new URL(redirectUri).port), '127.0.0.1')
await once(listener, 'listening')
console.error(`Open in a browser:\n\n${url.href}\n`)
const [request, response] = await once(listener, 'request')
response.end('Signed in. You may close this page.\n')
listener.close()
listener.closeIdleConnections()
const tokens = await client.authorizationCodeGrant(config, new URL(request.url, redirectUri), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
})
console.error(`Signed in as ${tokens.claims()?.preferred_username}, with ${tokens.scope}`)
console.log(tokens.access_token)
