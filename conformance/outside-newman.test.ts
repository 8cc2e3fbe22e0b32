import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { before, describe, test } from 'node:test'
import { createOperator, type RunningServer } from './operating/operator.ts'

// The runner of Postman collections, on the files that `client add --kit` writes, unedited:
// https://github.com/postmanlabs/newman
const NEWMAN = `${import.meta.dirname}/outside/node_modules/newman/bin/newman.js`
const skip = existsSync(NEWMAN)
  ? false
  : 'conformance/outside is not installed: tools/with-outside-clients.sh'

const operator = createOperator()
let server: RunningServer
before(async () => {
  server = await operator.up({ sample: true })
})

async function addClient(kit: string, ...options: string[]) {
  const added = await operator.scopegate('client', 'add', kit, '--kit', kit, '--json', ...options)
  assert.equal(added.code, 0, added.err)
  return JSON.parse(added.out) as { client_id: string; client_secret?: string }
}

interface NewmanRun {
  readonly code: number
  readonly failures: readonly { readonly error: { readonly message: string } }[]
  readonly assertions: number
  readonly requests: number
}

function newman(kit: string): Promise<NewmanRun> {
  const folder = operator.path(kit)
  const report = join(folder, 'report.json')
  return new Promise((done, fail) => {
    execFile(
      process.execPath,
      [
        ...[NEWMAN, 'run', 'postman_collection.json', '-e', 'postman_environment.json'],
        ...['--reporters', 'json', '--reporter-json-export', report],
      ],
      { cwd: folder, env: { PATH: process.env.PATH, HOME: folder } },
      (error, out, err) => {
        if (!existsSync(report)) return fail(new Error(`newman made no report: ${out}${err}`))
        const { run } = JSON.parse(readFileSync(report, 'utf8'))
        done({
          code: error === null ? 0 : Number(error.code),
          failures: run.failures,
          assertions: run.stats.assertions.total,
          requests: run.stats.requests.total,
        })
      },
    )
  })
}

/** Every file of a folder, relative to it. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

const sh = (kit: string, env: Record<string, string> = {}) =>
  execFileSync('sh', ['curl.sh'], {
    cwd: operator.path(kit),
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
  })

describe('newman', { skip }, () => {
  test('passes on the kit of a program', async () => {
    await addClient('program', '--scopes', 'system/*.rs')
    const run = await newman('program')
    assert.deepEqual(run.failures, [])
    assert.equal(run.code, 0)
    // Two of the server, a token, two searches.
    assert.equal(run.requests, 5)
    assert.equal(run.assertions, 10)
  })

  test('passes on the kit of a program that sees only some Observations', async () => {
    await addClient('labs', '--scopes', 'system/Observation.rs?category=laboratory')
    const run = await newman('labs')
    assert.deepEqual(run.failures, [])
    assert.equal(run.requests, 4)
  })

  test('passes on the kit of an app, as far as it goes without a user', async () => {
    await addClient(
      ...['app', '--public', '--redirect-uri', 'https://oauth.pstmn.io/v1/callback'],
      ...['--scopes', 'openid fhirUser launch/patient patient/*.rs offline_access'],
    )
    const run = await newman('app')
    assert.deepEqual(run.failures, [])
    assert.equal(run.requests, 4)
  })

  test('fails when the secret is wrong: the tests do test', async () => {
    const { client_secret = '' } = await addClient('wrong', '--scopes', 'system/*.rs')
    const file = operator.path('wrong/postman_environment.json')
    const text = readFileSync(file, 'utf8')
    assert.ok(text.includes(client_secret))
    writeFileSync(file, text.replace(client_secret, `${client_secret}X`))
    const run = await newman('wrong')
    assert.equal(run.code, 1)
    assert.match(run.failures[0]?.error.message ?? '', /expected response to have status code 200/)
  })
})

describe('the kit of a client', () => {
  test('is for its user only, and has the secret where tools read values, and only there', async () => {
    const { client_id, client_secret = '' } = await addClient('kept', '--scopes', 'system/*.rs')
    assert.match(client_secret, /^sgs_/)
    const folder = operator.path('kept')
    const files = filesOf(folder)
    for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o077, 0, file)
    const holders = files.filter((file) =>
      readFileSync(join(folder, file), 'utf8').includes(client_secret),
    )
    const hidden = ['.env', 'http-client.private.env.json', 'postman_environment.json']
    assert.deepEqual(holders.sort(), hidden)
    const ignored = readFileSync(join(folder, '.gitignore'), 'utf8').split('\n')
    assert.ok(hidden.every((file) => ignored.includes(file)))

    const later = await operator.scopegate('client', 'kit', client_id, 'again')
    assert.equal(later.code, 0, later.err)
    assert.deepEqual(filesOf(operator.path('again')).sort(), files.sort())
    const environment = readFileSync(operator.path('again/.env'), 'utf8')
    assert.equal(environment, 'CLIENT_SECRET=PUT-THE-CLIENT-SECRET-HERE\n')
    const over = await operator.scopegate('client', 'kit', client_id, 'again')
    assert.equal(over.code, 1)
    assert.match(over.err, /there already/)
  })

  test('has a script for curl that works as it is', async () => {
    await addClient("o'neill $(x)", '--scopes', 'system/Patient.rs system/Observation.rs')
    cpSync(operator.path("o'neill $(x)"), operator.path('script'), { recursive: true })
    const bundles = sh('script')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      bundles.map(({ resourceType, entry }) => [resourceType, entry[0].resource.resourceType]),
      [
        ['Bundle', 'Patient'],
        ['Bundle', 'Observation'],
      ],
    )
  })

  test('has one that signs with the own key of the client', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS384', use: 'sig' }
    operator.file('keys.json', JSON.stringify({ keys: [jwk] }))
    const { client_secret } = await addClient(
      ...['signer', '--scopes', 'system/Patient.rs', '--jwks', 'keys.json'],
    )
    assert.equal(client_secret, undefined)
    assert.ok(!filesOf(operator.path('signer')).includes('.env'))
    operator.file('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const out = sh('signer', { PRIVATE_KEY: operator.path('key.pem') })
    assert.equal(JSON.parse(out).resourceType, 'Bundle')
  })

  test('of an app opens the authorization endpoint with PKCE and the audience', async () => {
    await addClient(
      ...['pkce', '--public', '--redirect-uri', 'http://127.0.0.1:9999/cb?x=50%25'],
      ...['--scopes', 'openid patient/*.rs'],
    )
    const out = execFileSync('sh', ['-c', 'echo wrong-code | sh curl.sh || true'], {
      cwd: operator.path('pkce'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const url = new URL(out.split('\n').find((line) => line.startsWith('http')) ?? '')
    assert.equal(url.origin + url.pathname, `${server.url}/oauth/authorize`)
    const asked = Object.fromEntries(url.searchParams)
    assert.match(asked.code_challenge ?? '', /^[A-Za-z0-9_-]{43}$/)
    assert.match(asked.state ?? '', /^[0-9a-f]{32}$/)
    assert.deepEqual(
      [asked.code_challenge_method, asked.aud, asked.redirect_uri, asked.scope],
      ['S256', server.fhir, 'http://127.0.0.1:9999/cb?x=50%25', 'openid patient/*.rs'],
    )
    assert.match(out, /x=50%25\?code=/)
    const collection = readFileSync(operator.path('pkce/postman_collection.json'), 'utf8')
    const { item } = JSON.parse(collection)
    const oauth2 = Object.fromEntries(
      item[1].auth.oauth2.map(({ key, value }: { key: string; value: unknown }) => [key, value]),
    )
    assert.equal(oauth2.grant_type, 'authorization_code_with_pkce')
    assert.equal(oauth2.challengeAlgorithm, 'S256')
    assert.deepEqual(oauth2.authRequestParams, [
      { key: 'aud', value: '{{fhir_url}}', enabled: true, send_as: 'request_url' },
    ])
  })

  test('of one that must use DPoP does not exist, and why', async () => {
    const added = await operator.scopegate(
      ...['client', 'add', 'bound', '--scopes', 'system/*.rs', '--dpop', '--json'],
    )
    const { client_id, kit, curl } = JSON.parse(added.out)
    assert.deepEqual([kit, curl], [undefined, undefined])
    const refused = await operator.scopegate('client', 'kit', client_id, 'bound')
    assert.equal(refused.code, 1)
    assert.match(refused.err, /DPoP[\s\S]*openid-client/)
  })
})
