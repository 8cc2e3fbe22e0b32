import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openStorage, type Storage } from '@scopegate/storage'
import type { BenchContext } from './context.ts'
import { formatRows, type Row } from './row.ts'
import { bundleScenario } from './scenario-bundle.ts'
import { importScenario } from './scenario-import.ts'
import { slowCallersScenario } from './scenario-slow-callers.ts'
import { startScenarios } from './scenario-start.ts'
import { gatewayScenarios } from './scenarios-gateway.ts'
import { launchScenarios } from './scenarios-launches.ts'
import { outboundScenarios } from './scenarios-outbound.ts'
import { peerScenarios } from './scenarios-peers.ts'
import { readScenarios } from './scenarios-read.ts'
import { searchScenarios } from './scenarios-search.ts'
import { tlsScenarios } from './scenarios-tls.ts'
import { tokenScenarios } from './scenarios-tokens.ts'
import { writeScenarios } from './scenarios-write.ts'
import { type BenchServer, startServer } from './server-process.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (options.help) {
  console.log(`npm run bench -- [--seconds N] [--only start|tls|gateway|slow|peers|outbound|import|tokens|launches|read|search|write|bundle]

Measures a server that is started for it, beside the limit measured in the same run.
Quote the ratios: single figures depend on the machine and on what else it does.`)
  process.exit(0)
}

const CLIENT_ID = 'bench'
const KEY_CLIENT_ID = 'bench-key'
const APP = { clientId: 'bench-app', redirectUri: 'http://127.0.0.1/callback' }
const SCOPES = 'system/*.cruds'
const clientSecret = randomBytes(24).toString('base64url')
const keyPair = generateKeyPairSync('rsa', { modulusLength: 2048 })

const folder = await mkdtemp(join(tmpdir(), 'scopegate-bench-'))
const rows: Row[] = []
const wanted = (name: string) => options.only === undefined || options.only === name
const add = (more: readonly Row[]) => {
  rows.push(...more)
  for (const { name, value, unit } of more) console.error(`  ${name}: ${value.toFixed(2)} ${unit}`)
}

let storage: Storage | undefined
let server: BenchServer | undefined
try {
  console.error(
    `Measuring on ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`,
  )
  if (wanted('start')) add(await startScenarios(folder))
  if (wanted('bundle')) add([bundleScenario()])
  if (wanted('tls')) add(await tlsScenarios(folder, Number(options.seconds)))
  if (wanted('gateway')) add(await gatewayScenarios(Number(options.seconds)))
  if (wanted('slow')) add(await slowCallersScenario(Number(options.seconds)))
  if (wanted('peers')) add(await peerScenarios(Number(options.seconds)))
  if (wanted('outbound')) add(await outboundScenarios(folder, Number(options.seconds)))
  storage = await openStorage({ dir: join(folder, 'database') })
  server = await startServer(folder, await configuration(), {
    BENCH_DATABASE_URL: databaseUrl(storage),
    BENCH_SECRET: clientSecret,
  })
  const context = contextOf(server, storage)
  // The other scenarios need its data, so it always runs.
  add(await importScenario(context, folder))
  if (wanted('tokens')) add(await tokenScenarios(context))
  if (wanted('launches')) add(await launchScenarios(context))
  if (wanted('read')) add(await readScenarios(context))
  if (wanted('search')) add(await searchScenarios(context))
  if (wanted('write')) add(await writeScenarios(context))
  rows.push({
    name: 'memory of the server after all this',
    value: await server.residentMb(),
    unit: 'MB',
  })
} finally {
  await server?.stop()
  await storage?.close()
  await rm(folder, { recursive: true, force: true })
}
console.log(formatRows(rows))

async function configuration(): Promise<string> {
  const jwk = {
    ...keyPair.publicKey.export({ format: 'jwk' }),
    kid: 'bench',
    alg: 'RS384',
    use: 'sig',
  }
  await writeFile(join(folder, 'bench-keys.json'), JSON.stringify({ keys: [jwk] }))
  return `storage: { url: env:BENCH_DATABASE_URL }
limits: { tokenRequestsPerMinute: 10000000, signInStartsPerMinute: 10000000 }
clients:
  - { id: ${CLIENT_ID}, secret: env:BENCH_SECRET, grants: [client_credentials], scopes: "${SCOPES} admin/import.write admin/users.write" }
  - { id: ${KEY_CLIENT_ID}, jwksFile: ./bench-keys.json, grants: [client_credentials], scopes: "${SCOPES}" }
  - { id: ${APP.clientId}, public: true, redirectUris: ["${APP.redirectUri}"], grants: [authorization_code, refresh_token], scopes: "openid fhirUser launch/patient offline_access patient/*.rs" }
fhir: { r4: { userPolicy: all } }
`
}

function databaseUrl({ connection }: Storage): string {
  if ('connectionString' in connection && connection.connectionString) {
    return connection.connectionString
  }
  const { host, port, user, password, database } = connection
  const credentials = password === undefined ? user : `${user}:${password}`
  return `postgres://${credentials}@localhost/${database}?host=${encodeURIComponent(host ?? '')}&port=${port ?? 5432}`
}

function contextOf({ url }: BenchServer, { pool }: Storage): BenchContext {
  return {
    server: server as BenchServer,
    fhir: `${url}/fhir/r4`,
    pool,
    clientId: CLIENT_ID,
    clientSecret,
    app: APP,
    seconds: Number(options.seconds),
    token: (scope, audience) => fetchToken(url, scope, audience),
    assertions: async (count) =>
      Array.from({ length: count }, () => assertion(`${url}/oauth/token`)),
  }
}

async function fetchToken(url: string, scope: string, audience?: string): Promise<string> {
  const answer = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: CLIENT_ID,
      client_secret: clientSecret,
      scope,
      ...(audience && { resource: audience }),
    }),
  })
  if (!answer.ok) throw new Error(`no token for ${scope}: ${await answer.text()}`)
  return ((await answer.json()) as { access_token: string }).access_token
}

/** @see RFC 7523 §3 */
function assertion(audience: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const input = [
    encode({ alg: 'RS384', typ: 'JWT', kid: 'bench' }),
    encode({
      iss: KEY_CLIENT_ID,
      sub: KEY_CLIENT_ID,
      aud: audience,
      jti: randomUUID(),
      iat: now,
      exp: now + 240,
    }),
  ].join('.')
  return `${input}.${sign('sha384', Buffer.from(input), keyPair.privateKey).toString('base64url')}`
}
