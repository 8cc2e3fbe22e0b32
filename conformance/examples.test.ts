import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createRequire, registerHooks } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { serveLabOpenIdProvider } from '@scopegate/lab'
import { openSmartServer } from './support/open-smart-server.ts'

const root = join(import.meta.dirname, '..')
const example = (name: string) => join(root, 'examples', name)
const AUDIENCE = 'http://127.0.0.1:3000'

const lab = await serveLabOpenIdProvider({ flavour: 'okta', audience: AUDIENCE })
after(() => lab.close())
Object.assign(process.env, { ISSUER: lab.issuer, AUDIENCE })

type Call = (path: string, init?: RequestInit) => Promise<Response>

async function walk(call: Call): Promise<void> {
  const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
  const reader = lab.mintAccessToken({ scopes: ['bank.balance.read'], userId: 'nora' })
  const bare = await call('/balance')
  assert.equal(bare.status, 401)
  assert.equal(bare.headers.get('www-authenticate'), 'Bearer realm="bank"')
  const balance = await call('/balance', as(reader))
  assert.equal(balance.status, 200)
  assert.deepEqual(await balance.json(), { owner: 'nora@clinic.example', dollars: 5 })
  const refused = await call('/transfer', { method: 'POST', ...as(reader) })
  assert.equal(refused.status, 403)
  assert.match(
    refused.headers.get('www-authenticate') ?? '',
    /error="insufficient_scope".*scope="bank\.transfer\.write"/,
  )
  assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.equal(((await refused.json()) as { status: number }).status, 403)
  const writer = lab.mintAccessToken({ scopes: ['bank.transfer.write'] })
  assert.equal((await call('/transfer', { method: 'POST', ...as(writer) })).status, 200)
  const expired = lab.mintAccessToken({ scopes: ['bank.balance.read'], wrong: ['expired'] })
  const late = await call('/balance', as(expired))
  assert.equal(late.status, 401)
  assert.match(late.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
}

/** Frameworks are no dependencies of the workspace: they are installed beside the suite, or not. */
const frameworks = pathToFileURL(join(root, 'conformance/frameworks/package.json'))
registerHooks({
  resolve(specifier, context, next) {
    const isFramework = specifier === 'express' || specifier === 'fastify'
    return next(specifier, isFramework ? { ...context, parentURL: frameworks.href } : context)
  },
})

/** Why an example cannot run here, or `false`. */
function absent(name: string): string | false {
  try {
    createRequire(frameworks).resolve(name)
    return false
  } catch {
    return `${name} is not installed: run under tools/with-outside-clients.sh`
  }
}

const load = async (name: string) => import(`${example(name)}/server.mjs`)

describe('routes of an app, protected in its own process', () => {
  test('hono', async () => {
    const { app } = await load('hono')
    await walk(async (path, init) => app.fetch(new Request(`${AUDIENCE}${path}`, init)))
  })

  test('express', { skip: absent('express') }, async (t) => {
    const { app } = await load('express')
    const server: Server = app.listen(0, '127.0.0.1')
    t.after(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await walk((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init))
  })

  test('fastify', { skip: absent('fastify') }, async (t) => {
    const { app } = await load('fastify')
    t.after(() => app.close())
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    await walk((path, init) => fetch(`${url}${path}`, init))
  })
})

describe('flows', async () => {
  const server = await openSmartServer()
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-examples-'))
  after(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })
  const run = async (file: string, environment: Record<string, string>, ...args: string[]) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=source', example(file), ...args],
      {
        cwd: folder,
        env: { ...process.env, SCOPEGATE_URL: server.url, ...environment },
      },
    )
    return stdout
  }

  test('client-credentials.ts counts what its scope shows', async () => {
    const app = await server.app({
      scopes: 'system/Observation.rs',
      as: 'secret',
      grants: ['client_credentials'],
    })
    const out = await run('client-credentials.ts', {
      CLIENT_ID: app.clientId,
      CLIENT_SECRET: app.secret ?? '',
    })
    assert.equal(out, '200: 231 Observations under system/Observation.rs\n')
  })

  test('token-broker.ts asks once for all who call', async () => {
    const app = await server.app({
      scopes: 'system/Observation.rs',
      as: 'secret',
      grants: ['client_credentials'],
    })
    const out = await run('token-broker.ts', {
      CLIENT_ID: app.clientId,
      CLIENT_SECRET: app.secret ?? '',
    })
    assert.match(
      out,
      /^500 calls, token \S+, scopes system\/Observation\.rs\nsent as: Bearer .{5}…\n1 token request, state fresh\n$/,
    )
  })

  test('backend-services.ts makes its keys, and proves who it is by them', async () => {
    await run('backend-services.ts', {}, 'keys')
    const jwks = JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8'))
    assert.ok(!('d' in jwks.keys[0]))
    await server.admin('POST', '/clients', {
      client_id: 'night-job',
      name: 'Night job',
      scopes: 'system/*.rs',
      grants: ['client_credentials'],
      jwks,
    })
    assert.match(await run('backend-services.ts', {}), /^200: \d+ Patients under system\/\*\.rs\n$/)
  })

  const fhirclient = join(root, 'conformance/outside/node_modules/fhirclient')
  const skip = existsSync(fhirclient) ? false : 'fhirclient is not installed'
  test('standalone-launch names the script that was looked at', { skip }, () => {
    const script = readFileSync(join(fhirclient, 'build/fhir-client.min.js'))
    const hash = createHash('sha384').update(script).digest('base64')
    const page = readFileSync(example('standalone-launch/index.html'), 'utf8')
    assert.ok(page.includes(`integrity="sha384-${hash}"`))
    const { version } = JSON.parse(readFileSync(join(fhirclient, 'package.json'), 'utf8'))
    assert.ok(page.includes(`fhirclient@${version}/`))
  })
})
