// A service without a user, by a secret: client credentials, by openid-client.
//
//   npx scopegate client add lab-reader --scopes "system/Observation.rs"
//   CLIENT_ID=lab-reader CLIENT_SECRET=… node examples/client-credentials.ts
import {
  allowInsecureRequests,
  clientCredentialsGrant,
  discovery,
  fetchProtectedResource,
} from 'openid-client'

const server = process.env.SCOPEGATE_URL ?? 'http://127.0.0.1:8080'
const config = await discovery(
  new URL(server),
  process.env.CLIENT_ID ?? 'lab-reader',
  process.env.CLIENT_SECRET,
  undefined,
  // Plain http is for loopback only.
  { execute: server.startsWith('http://127.0.0.1') ? [allowInsecureRequests] : [] },
)
const { access_token: token, scope } = await clientCredentialsGrant(config, {
  scope: process.env.SCOPE ?? 'system/Observation.rs',
})
const url = new URL(`${server}/fhir/r4/Observation?_summary=count`)
const answer = await fetchProtectedResource(config, token, url, 'GET')
const { total } = (await answer.json()) as { total?: number }
console.log(`${answer.status}: ${total} Observations under ${scope}`)
