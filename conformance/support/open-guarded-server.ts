import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { freePort } from '@scopegate/lab'
import { createLogger, type RunningServer, readConfig, startServer } from '@scopegate/server'
import { emptyTestDatabase } from '@scopegate/storage/testing'

/** The whole product, with issuers and trust as a test writes them. */
export interface GuardedServer {
  readonly url: string
  readonly fhirUrl: string
  /** Lines of its log. */
  readonly log: readonly string[]
  /** A request to the FHIR endpoint with this token. */
  fhir(path: string, token: string | undefined, init?: RequestInit): Promise<FhirAnswer>
  /** What the admin API explains of such a request; it has two addresses for it. */
  explain(path: string, token: string, at?: 'explain' | 'diagnose/token'): Promise<Explained>
  /** What the running server finds wrong with itself and its neighbours. */
  doctor(): Promise<readonly DoctorFinding[]>
  /** The same installation, started with other settings. */
  restart(yaml: string): Promise<void>
  close(): Promise<void>
}

export interface FhirAnswer {
  readonly status: number
  readonly headers: Headers
  readonly challenge: string
  readonly body: {
    readonly resourceType?: string
    readonly issue?: readonly {
      readonly code: string
      readonly details?: { readonly text?: string }
      readonly diagnostics?: string
    }[]
  }
}

export interface DoctorFinding {
  readonly subject: string
  readonly check: string
  readonly outcome: string
  readonly found: string
  readonly fix?: string
}

export interface Explained {
  readonly status: number
  readonly checks: readonly {
    readonly name: string
    readonly outcome: string
    readonly code?: string
    readonly expected?: string
    readonly got?: string
    readonly fix?: string
  }[]
  readonly fix?: string
}

/**
 * @param yaml `issuers`, `fhir` and the like; `{fhir}` stands for the URL of the FHIR endpoint.
 * @param environment what secret references name
 * @param serverSettings further members of `server`, as YAML
 */
export async function openGuardedServer(
  yaml: string,
  environment: Readonly<Record<string, string>> = {},
  serverSettings: Readonly<Record<string, string>> = {},
): Promise<GuardedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-issuers-'))
  const database = await emptyTestDatabase()
  const url = `http://127.0.0.1:${await freePort()}`
  const lines: string[] = []
  const start = (text: string): Promise<RunningServer> => {
    const configFile = join(folder, 'scopegate.yaml')
    writeFileSync(
      configFile,
      `server:
  url: "${url}"
${Object.entries(serverSettings)
  .map(([name, value]) => `  ${name}: ${value}\n`)
  .join('')}
storage: { dir: data, url: env:CONFORMANCE_DATABASE }
${text.replaceAll('{fhir}', `${url}/fhir/r4`)}
`,
    )
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk))
        done()
      },
    })
    return startServer(
      readConfig({ configFile }, { ...environment, CONFORMANCE_DATABASE: database }),
      {
        sample: false,
        log: createLogger({ level: 'debug', format: 'json', stream }),
        holder: 'conformance',
      },
    )
  }
  let server = await start(yaml)

  async function adminToken(scope: string): Promise<string> {
    const { clientId, clientSecret } = server.credential
    const response = await fetch(server.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        resource: server.adminUrl,
        scope,
      }),
    })
    return ((await response.json()) as { access_token: string }).access_token
  }

  return {
    url,
    fhirUrl: server.fhirUrl,
    log: lines,
    async fhir(path, token, init = {}) {
      const response = await fetch(`${server.fhirUrl}${path}`, {
        ...init,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(init.headers as Record<string, string> | undefined),
        },
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        challenge: response.headers.get('www-authenticate') ?? '',
        body: text.startsWith('{') ? JSON.parse(text) : {},
      }
    },
    async explain(path, token, at = 'explain') {
      const response = await fetch(`${server.adminUrl}/${at}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await adminToken('admin/explain.read')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ token, method: 'GET', url: `${server.fhirUrl}${path}` }),
      })
      return (await response.json()) as Explained
    },
    async doctor() {
      const authorization = `Bearer ${await adminToken('admin/doctor.read')}`
      const response = await fetch(`${server.adminUrl}/doctor`, { headers: { authorization } })
      return ((await response.json()) as { findings: DoctorFinding[] }).findings
    },
    async restart(text) {
      await server.close()
      server = await start(text)
    },
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
