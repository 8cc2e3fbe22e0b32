import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ensureLocalCertificate } from '@scopegate/http'
import {
  createLabKey,
  freePort,
  type LabAlgorithm,
  publicJwk,
  sampleResources,
} from '@scopegate/lab'
import { createLogger, readConfig, startServer } from '@scopegate/server'
import { emptyTestDatabase } from '@scopegate/storage/testing'
import pg from 'pg'
import { createBrowser, type Send } from './browser.ts'
import { type Launched, type LaunchWish, launchApp } from './launch-app.ts'
import { createSmartApp, type SmartApp } from './smart-app.ts'

export interface SmartServer {
  readonly url: string
  readonly fhirUrl: string
  readonly tokenUrl: string
  readonly adminUrl: string
  readonly authorizeUrl: string
  /** `.well-known/smart-configuration`, as it was at the start. */
  readonly configuration: SmartConfiguration
  /** Where the PostgreSQL of this server is. */
  readonly databaseUrl: string
  /** Its configuration: it follows changes. */
  readonly configFile: string
  /** As on SIGHUP. */
  reload(): Promise<string>
  /** Lines of its log, as JSON. */
  readonly log: readonly string[]
  /** Calls the admin API as the command line does. @throws unless it answers 2xx. */
  admin<Answer>(method: string, path: string, body?: unknown): Promise<Answer>
  /** The same, whatever it answers. */
  adminCall(method: string, path: string, body?: unknown): Promise<Response>
  /** Registers a client and plays it. */
  app(wish: AppWish): Promise<SmartApp>
  user(wish?: UserWish): Promise<Person>
  /** Makes the handle of an EHR launch. */
  ehrLaunch(app: SmartApp, person: Person | undefined, context: object): Promise<string>
  /** The whole way from an authorization request to the token response. */
  launch(app: SmartApp, person: Person, wish: LaunchWish): Promise<Launched>
  fhir(token: string | undefined, path: string, init?: RequestInit): Promise<Response>
  /** Makes what is stored so many seconds older: what was to end within that time has ended. */
  timePasses(seconds: number): Promise<void>
  sql(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Another process of the same installation: same keys and issuer, other port; same database. */
  sibling(onDatabase?: string): Promise<{ readonly listenUrl: string; close(): Promise<void> }>
  close(): Promise<void>
}

export interface SmartConfiguration {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly introspection_endpoint: string
  readonly revocation_endpoint: string
  readonly registration_endpoint?: string
  readonly jwks_uri: string
  readonly capabilities: readonly string[]
  readonly scopes_supported: readonly string[]
}

export interface AppWish {
  readonly scopes: string
  /** How it authenticates: not at all, by a secret, by keys. Default `public`. */
  readonly as?: 'public' | 'secret' | LabAlgorithm
  readonly grants?: readonly string[]
  /** Further members, as the admin API names them. */
  readonly set?: Readonly<Record<string, unknown>>
}

export interface UserWish {
  /** Default `Practitioner/pract-1`; `null` for none. */
  readonly fhirUser?: string | null
  readonly set?: Readonly<Record<string, unknown>>
}

export interface Person {
  readonly id: string
  readonly username: string
  readonly password: string
}

export interface SmartServerOptions {
  /** Further YAML of the configuration, on the top level. */
  readonly yaml?: string
  /** Further members of `fhir.r4`. */
  readonly r4?: string
  readonly withoutSample?: boolean
  /** Members of `limits`, as YAML, beside that on failures. */
  readonly limits?: string
  /** Serves https with a certificate of a CA of its own, which this process then trusts. */
  readonly tls?: boolean
  /** Browsers make no passkeys for addresses. Default `127.0.0.1`. */
  readonly hostname?: 'localhost'
  /** Variables that its configuration may refer to; read again at each reload. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Where apps of the tests live; nothing listens there. */
export const APP_ORIGIN = 'http://127.0.0.1:9'

/**
 * The whole product, started in process on a database of its own, with the sample data. Users and
 * clients are made over the admin API, as an operator makes them.
 */
export async function openSmartServer(options: SmartServerOptions = {}): Promise<SmartServer> {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-smart-'))
  const databaseUrl = await emptyTestDatabase()
  const { hostname = '127.0.0.1' } = options
  const url = `${options.tls ? 'https' : 'http'}://${hostname}:${await freePort()}`
  if (options.tls) await trustOwnCertificate(join(folder, 'tls'))
  const lines: string[] = []
  const start = (listen?: string, database = databaseUrl) => {
    const configFile = join(folder, `scopegate-${listen?.split(':').at(-1) ?? 'one'}.yaml`)
    writeFileSync(configFile, yamlOf(url, listen, options))
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk))
        done()
      },
    })
    const log = createLogger({ level: 'trace', format: 'json', stream })
    const read = () =>
      readConfig({ configFile }, { ...options.environment, CONFORMANCE_DATABASE: database })
    return startServer(read(), { sample: false, log, holder: 'conformance', read })
  }
  const server = await start()
  const { fhirUrl, tokenUrl, adminUrl, credential } = server
  const cli = createSmartApp(
    { clientId: credential.clientId, secret: credential.clientSecret, redirectUri: '' },
    { authorizeUrl: '', tokenUrl, fhirUrl },
  )
  let adminToken: { readonly value: string; readonly until: number } | undefined

  async function adminCall(method: string, path: string, body?: unknown): Promise<Response> {
    if (adminToken === undefined || adminToken.until < Date.now()) {
      const answer = await cli.clientCredentials('', {
        set: { resource: adminUrl, scope: undefined },
      })
      if (answer.json.access_token === undefined) throw new Error(JSON.stringify(answer.json))
      adminToken = { value: answer.json.access_token, until: Date.now() + 120_000 }
    }
    return fetch(`${adminUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminToken.value}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  async function admin<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await adminCall(method, path, body)
    const text = await response.text()
    if (response.ok) return JSON.parse(text)
    const why = lines.filter((line) => line.includes('"level":"error"')).slice(-2)
    throw new Error(`${method} ${path}: ${response.status} ${text} ${why.join('')}`)
  }

  if (!options.withoutSample) {
    const lines = [...sampleResources()].map((resource) => JSON.stringify(resource))
    const response = await fetch(`${adminUrl}/import`, {
      method: 'POST',
      headers: {
        authorization: (await adminCall('GET', '/status')) && `Bearer ${adminToken?.value}`,
        'content-type': 'application/fhir+ndjson',
      },
      body: lines.join('\n'),
    })
    const report = await response.text()
    if (!response.ok) throw new Error(`the sample was refused: ${report}`)
  }
  const configuration = (await (
    await fetch(`${fhirUrl}/.well-known/smart-configuration`)
  ).json()) as SmartServer['configuration']
  const database = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  // The end of the test database ends what is connected to it.
  database.on('error', () => {})
  const endpoints = { tokenUrl, fhirUrl, authorizeUrl: configuration.authorization_endpoint }
  let made = 0

  const opened: SmartServer = {
    url,
    fhirUrl,
    tokenUrl,
    adminUrl,
    authorizeUrl: configuration.authorization_endpoint,
    configuration,
    databaseUrl,
    log: lines,
    configFile: join(folder, 'scopegate-one.yaml'),
    reload: () => server.reload('SIGHUP'),
    admin,
    adminCall,
    async app({ scopes, as = 'public', grants, set = {} }) {
      made += 1
      const key = as === 'public' || as === 'secret' ? undefined : createLabKey(as)
      const redirectUri = `${APP_ORIGIN}/app-${made}/callback`
      const registered = await admin<{ client_id: string; client_secret?: string }>(
        'POST',
        '/clients',
        {
          client_id: `app-${made}`,
          name: `Growth chart ${made}`,
          scopes,
          grants: grants ?? ['authorization_code', 'refresh_token'],
          ...(as === 'public' && { public: true }),
          ...(key && { jwks: { keys: [publicJwk(key)] } }),
          ...((grants ?? ['authorization_code']).includes('authorization_code') && {
            redirect_uris: [redirectUri],
          }),
          ...set,
        },
      )
      return createSmartApp(
        {
          clientId: registered.client_id,
          redirectUri: (set.redirect_uris as string[] | undefined)?.[0] ?? redirectUri,
          ...(registered.client_secret !== undefined && { secret: registered.client_secret }),
          ...(key && { key }),
        },
        endpoints,
      )
    },
    async user({ fhirUser = 'Practitioner/pract-1', set = {} } = {}) {
      made += 1
      const [username, password] = [`user-${made}`, `correct horse battery ${made}`]
      const { id } = await admin<{ id: string }>('POST', '/users', {
        username,
        password,
        name: `Dr Sample ${made}`,
        ...(fhirUser !== null && { fhir_user: fhirUser }),
        ...set,
      })
      return { id, username, password }
    },
    async ehrLaunch(app, person, context) {
      const { launch } = await admin<{ launch: string }>('POST', '/launches', {
        client_id: app.clientId,
        ...(person && { user: person.id }),
        ...context,
      })
      return launch
    },
    launch: (app, person, wish) => launchApp(opened, app, person, wish),
    fhir: (token, path, init = {}) =>
      fetch(`${fhirUrl}/${path}`, {
        ...init,
        headers: {
          ...init.headers,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      }),
    async timePasses(seconds) {
      const columns = await opened.sql(
        `SELECT table_name, column_name FROM information_schema.columns
          WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
            AND table_name = ANY($1)`,
        [AGEING_TABLES],
      )
      for (const { table_name: table, column_name: column } of columns) {
        await opened.sql(`UPDATE ${table} SET ${column} = ${column} - make_interval(secs => $1)`, [
          seconds,
        ])
      }
    },
    async sql(text, values = []) {
      const { rows } = await database.query(text, [...values])
      return rows
    },
    async sibling(onDatabase) {
      const listen = `127.0.0.1:${await freePort()}`
      const other = await start(listen, onDatabase)
      return { listenUrl: `http://${listen}`, close: () => other.close() }
    },
    async close() {
      await database.end()
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return opened
}

/** What expires, by the clock of the database. */
const AGEING_TABLES = ['engine_model', 'launch_handle', 'refresh_answer', 'session']

/** A browser for the pages of a server. */
export function browserOf(server: Pick<SmartServer, 'url'>, send?: Send) {
  return createBrowser(server.url, send)
}

function yamlOf(url: string, listen: string | undefined, options: SmartServerOptions): string {
  const members = [
    `url: "${url}"`,
    ...(listen === undefined ? [] : [`listen: "${listen}"`]),
    ...(options.tls ? ['tls: { certFile: tls/server.crt, keyFile: tls/server.key }'] : []),
  ]
  return `server: { ${members.join(', ')} }
storage: { dir: data, url: env:CONFORMANCE_DATABASE }
fhir:
  r4: { userPolicy: all, updateCreate: true${options.r4 === undefined ? '' : `, ${options.r4}`} }
limits: { authenticationFailuresPerMinute: 100000${options.limits === undefined ? '' : `, ${options.limits}`} }
${options.yaml ?? ''}`
}

/** Makes `server.crt` and `server.key`, and has every client of this process trust them. */
async function trustOwnCertificate(dir: string): Promise<void> {
  const { caFile } = await ensureLocalCertificate({ dir, names: [], nowMs: Date.now() })
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')])
}
