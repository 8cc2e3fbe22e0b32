import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { createLabIssuer, createLabKey, freePort, sampleResources } from '@scopegate/lab'
import { createLogger, readConfig, startServer } from '@scopegate/server'
import { emptyTestDatabase } from '@scopegate/storage/testing'
import type { Harness, TokenWish } from './harness.ts'

/** The whole product as `scopegate up` starts it: token endpoint, FHIR endpoint; with sample data. */
export interface WholeServer extends Pick<Harness, 'baseUrl' | 'mint' | 'mintWrong' | 'close'> {
  readonly url: string
  /** Asks the token endpoint by client credentials, as the client that may have `system/*.cruds`. */
  askToken(scope: string): Promise<{ readonly status: number; readonly json: TokenAnswer }>
}

interface TokenAnswer {
  readonly access_token?: string
  readonly scope?: string
  readonly error?: string
  readonly error_description?: string
}

/**
 * Started in process on a database of its own. It trusts itself and a lab issuer, and lets
 * practitioners see everything (`userPolicy: all`).
 */
export async function openWholeServer(): Promise<WholeServer> {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-conformance-'))
  const lab = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('ES256')] })
  const configFile = join(folder, 'scopegate.yaml')
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(lab.keySet))
  writeFileSync(
    configFile,
    `server: { url: "http://127.0.0.1:${await freePort()}" }
storage: { dir: data, url: env:CONFORMANCE_DATABASE }
issuers:
  - { issuer: ${lab.issuer}, keysFile: ./keys.json, typ: at+jwt }
fhir:
  r4: { trust: [self, ${lab.issuer}], userPolicy: all, updateCreate: true }
clients:
  - { id: reader, secret: env:CONFORMANCE_SECRET, scopes: "system/*.cruds" }
`,
  )
  const secret = 'a secret of the conformance suite, 32+'
  const config = readConfig(
    { configFile },
    { CONFORMANCE_DATABASE: await emptyTestDatabase(), CONFORMANCE_SECRET: secret },
  )
  const log = createLogger({
    level: 'error',
    format: 'json',
    stream: new Writable({ write: (_, __, done) => done() }),
  })
  const server = await startServer(config, { sample: false, log, holder: 'conformance' })
  const forHere = ({ audience, ...wish }: TokenWish) => ({
    ...wish,
    audience: audience ?? server.fhirUrl,
  })
  await fill(server.fhirUrl, lab.mintToken(forHere({ scope: 'system/*.cruds' })))
  return {
    url: server.url,
    baseUrl: server.fhirUrl,
    mint: async (wish) => lab.mintToken(forHere(wish)),
    mintWrong: async (how, wish) => lab.wrong[how](forHere(wish)),
    async askToken(scope) {
      const response = await fetch(server.tokenUrl, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`reader:${encodeURIComponent(secret)}`).toString('base64')}`,
        },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          scope,
          resource: server.fhirUrl,
        }),
      })
      return { status: response.status, json: (await response.json()) as TokenAnswer }
    },
    async close() {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function fill(fhirUrl: string, token: string): Promise<void> {
  const entry = [...sampleResources()].map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }))
  const response = await fetch(fhirUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
  })
  if (!response.ok) throw new Error(`the sample was refused: ${await response.text()}`)
}
