// Tokens of another provider in your own process: fetched once for all callers, renewed before they
// end, with @scopegate/token-broker.
//
//   npx scopegate client add lab-reader --scopes "system/Observation.rs"
//   CLIENT_ID=lab-reader CLIENT_SECRET=… node examples/token-broker.ts
import { compileConnection, createTokenBroker, TokenUnavailable } from '@scopegate/token-broker'

const lab = compileConnection(
  {
    name: 'lab',
    preset: 'generic', // or entra, google, okta, auth0, keycloak, epic, oracle-health …
    tokenEndpoint: `${process.env.SCOPEGATE_URL ?? 'http://127.0.0.1:8080'}/oauth/token`,
    clientId: process.env.CLIENT_ID ?? 'lab-reader',
    authentication: { method: 'client_secret_basic' },
    scopes: [process.env.SCOPE ?? 'system/Observation.rs'],
  },
  { secrets: () => [process.env.CLIENT_SECRET ?? ''] },
)
const broker = createTokenBroker({ connections: [lab] })

// 500 callers, one token request.
const tokens = await Promise.all(Array.from({ length: 500 }, () => broker.getToken('lab'))).catch(
  explain,
)
const [token] = tokens
const headers = await token?.headers({ method: 'GET', url: 'https://fhir.lab.example/r4/Patient' })
console.log(
  `${tokens.length} calls, token ${token?.fingerprint}, scopes ${token?.scopes.join(' ')}`,
)
console.log(`sent as: ${headers?.authorization?.slice(0, 12)}…`)
const [status] = await broker.status()
console.log(`${status?.fetches} token request, state ${status?.state}`)
await broker.close()

// Why there is no token, and what to do: a row of docs/provider-errors.md.
function explain(error: unknown): never {
  if (!(error instanceof TokenUnavailable)) throw error
  const { code, cause, fix } = error.failure
  console.error(`no token (${code}): ${cause}\nfix: ${fix}`)
  process.exit(1)
}
