// SMART Backend Services: a service that proves who it is by a key instead of a secret
// (private_key_jwt), by openid-client.
//
//   node examples/backend-services.ts keys        makes keys.private.json and keys.json
//   npx scopegate client add night-job --scopes "system/*.rs" --jwks keys.json
//   CLIENT_ID=night-job node examples/backend-services.ts
import { readFileSync, writeFileSync } from 'node:fs'
import {
  allowInsecureRequests,
  clientCredentialsGrant,
  discovery,
  fetchProtectedResource,
  PrivateKeyJwt,
} from 'openid-client'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-384' }

if (process.argv[2] === 'keys') await makeKeys()
else await run()

async function makeKeys(): Promise<void> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const kid = crypto.randomUUID()
  const jwk = async (key: CryptoKey) => ({
    ...(await crypto.subtle.exportKey('jwk', key)),
    kid,
    alg: 'ES384',
    use: 'sig',
  })
  writeFileSync('keys.private.json', JSON.stringify(await jwk(pair.privateKey)), { mode: 0o600 })
  const open = { ...(await jwk(pair.publicKey)), key_ops: undefined, ext: undefined }
  writeFileSync('keys.json', JSON.stringify({ keys: [open] }))
}

async function run(): Promise<void> {
  const server = process.env.SCOPEGATE_URL ?? 'http://127.0.0.1:8080'
  const { kid, alg, use, ...jwk } = JSON.parse(readFileSync('keys.private.json', 'utf8'))
  const key = await crypto.subtle.importKey('jwk', jwk, ALGORITHM, false, ['sign'])
  const config = await discovery(
    new URL(server),
    process.env.CLIENT_ID ?? 'night-job',
    undefined,
    PrivateKeyJwt({ key, kid }),
    { execute: server.startsWith('http://127.0.0.1') ? [allowInsecureRequests] : [] },
  )
  const scope = process.env.SCOPE ?? 'system/*.rs'
  const { access_token: token } = await clientCredentialsGrant(config, { scope })
  const url = new URL(`${server}/fhir/r4/Patient?_summary=count`)
  const answer = await fetchProtectedResource(config, token, url, 'GET')
  const { total } = (await answer.json()) as { total?: number }
  console.log(`${answer.status}: ${total} Patients under ${scope}`)
}
