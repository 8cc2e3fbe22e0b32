import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { createProgram } from './program.ts'

const BIN = join(import.meta.dirname, '..', 'bin', 'scopegate.mjs')
const folder = mkdtempSync(join(tmpdir(), 'scopegate-lab-'))
after(() => rmSync(folder, { recursive: true }))

async function lab(...args: readonly string[]): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const context = { environment: {}, cwd: folder, stdin: process.stdin, stdout, stderr }
  await createProgram(context).parseAsync(['lab', ...args], { from: 'user' })
  stdout.end()
  return text(stdout)
}

/** Runs a lab and gives what it prints; ended with the test. */
async function running(t: { after(end: () => Promise<void>): void }, ...args: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--conditions=source', BIN, 'lab', ...args, '--port', '0'],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.after(async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  let printed = ''
  for await (const chunk of child.stdout) {
    printed += chunk
    if (printed.includes('Ctrl-C')) break
  }
  return printed
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('scopegate lab', () => {
  test('entra-v2: the printed line gets a token; another by hand has the same keys', async (t) => {
    const printed = await running(t, 'entra-v2', '--role', 'FHIR.Observation.Read')
    const line = printed.split('\n').find((each) => each.startsWith('curl')) ?? ''
    const { access_token: token } = JSON.parse(
      execFileSync('sh', ['-c', line], { encoding: 'utf8' }),
    )
    const { iss, ver, roles, aud } = claimsOf(token)
    assert.deepEqual([ver, roles], ['2.0', ['FHIR.Observation.Read']])
    assert.ok(printed.includes(`issuer: ${iss}\n`))
    assert.ok(printed.includes(`audiences: ["${aud}"]`))
    const [, url = ''] = /--at (\S+)`/.exec(printed) ?? []
    const minted = JSON.parse(await lab('token', '--at', url, '--json', '--other-tenant'))
    assert.notEqual(minted.claims.tid, claimsOf(token).tid)
    const kid = (each: string) =>
      JSON.parse(Buffer.from(each.split('.')[0] ?? '', 'base64url').toString()).kid
    assert.equal(kid(minted.access_token), kid(token))
  })

  test('with --refuse everybody is refused in the words of the provider', async (t) => {
    const printed = await running(t, 'okta', '--refuse', 'dpop_missing')
    const line = printed.split('\n').find((each) => each.startsWith('curl')) ?? ''
    const answer = JSON.parse(execFileSync('sh', ['-c', line], { encoding: 'utf8' }))
    assert.equal(answer.error, 'invalid_dpop_proof')
  })

  test('a token by hand takes claims, users and what is wrong with it', async () => {
    const wish = [
      '--flavour',
      'keycloak',
      '--user',
      'nora',
      '--claims',
      '{"aud":["x"]}',
      '--expired',
    ]
    const claims = claimsOf(await lab('token', ...wish))
    assert.equal(claims.preferred_username, 'nora')
    assert.deepEqual(claims.aud, ['x'])
    assert.ok(claims.exp < Date.now() / 1000)
  })

  test('what cannot be is said, with what can', async () => {
    const cases = [
      [['token', '--flavour', 'entra'], /there is no `entra`/],
      [['token', '--flavour', 'google'], /opaque/],
      [['token', '--user', 'nobody'], /no such token/],
      [['token', '--claims', '[1]'], /--claims takes a JSON object/],
      [['token', '--expires-in', 'soon'], /whole seconds/],
      [['token', '--at', 'http://127.0.0.1:1'], /no lab answers/],
      [['okta', '--refuse', 'everything'], /there is no `everything`/],
    ] as const
    for (const [args, message] of cases) await assert.rejects(lab(...args), { message })
  })
})
