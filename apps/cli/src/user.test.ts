import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { freePort } from '@scopegate/lab'
import { runCli } from './program.ts'

const BIN = join(import.meta.dirname, '..', 'bin', 'scopegate.mjs')
const folder = mkdtempSync(join(tmpdir(), 'scopegate-user-'))
const environment = { XDG_CONFIG_HOME: join(folder, 'config') }
const PASSWORD = 'lamp gravel otter seven'

/** Runs a command in this process. */
async function scopegate(
  args: readonly string[],
  stdin: NodeJS.ReadableStream = Readable.from([]),
) {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await runCli(args, { environment, cwd: folder, stdin, stdout, stderr })
  process.exitCode = 0
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

async function json(...args: string[]) {
  const { code, out, err } = await scopegate([...args, '--json'])
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

/** A terminal on which somebody types. */
function terminal(...keys: string[]) {
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => void modes.push(raw),
  })
  const type = () => {
    const key = keys.shift()
    if (key === undefined) return
    stdin.write(key)
    setImmediate(type)
  }
  setImmediate(type)
  return { stdin, modes }
}

for (const command of 'add list show set passwd disable enable reset-2fa sign-out remove'.split(
  ' ',
)) {
  test(`user ${command} has help with an example, and --json`, async () => {
    const { code, out } = await scopegate(['user', command, '--help'])
    assert.equal(code, 0)
    assert.match(out, /Examples?:/)
    assert.match(out, /--json/)
    assert.ok(!/--password[ =]</.test(out), 'no password as an argument')
  })
}

test('a password as an argument is refused, and not repeated', async () => {
  const { code, err } = await scopegate(['user', 'add', 'x', '--password', 'hunter2hunter2'])
  assert.equal(code, 1)
  assert.match(err, /unknown option '--password'/)
  assert.ok(!err.includes('hunter2'))
})

describe('with a server', () => {
  let server: ReturnType<typeof spawn>
  let log = ''

  before(async () => {
    const port = await freePort()
    const args = ['up', '--port', String(port), '--data', 'data']
    server = spawn(process.execPath, ['--conditions=source', BIN, ...args], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    await new Promise<void>((resolve, reject) => {
      server.once('exit', () => reject(new Error(`the server ended:\n${log}`)))
      for (const stream of [server.stdout, server.stderr]) {
        stream?.on('data', (chunk) => {
          log += chunk
          if (log.includes('Commands such as')) resolve()
        })
      }
    })
  })

  after(async () => {
    if (server.exitCode === null) {
      server.kill('SIGTERM')
      await new Promise((resolve) => server.once('exit', resolve))
    }
    rmSync(folder, { recursive: true, force: true })
  })

  test('there is nobody at first: no default user, no default password', async () => {
    assert.deepEqual(await json('user', 'list'), [])
  })

  test('the first administrator is added with a one-time password, shown once', async () => {
    const { code, out } = await scopegate(['user', 'add', 'root', '--role', 'admin'])
    assert.equal(code, 0)
    const [, password = ''] = /one-time password {2}(\S{23})\n/.exec(out) ?? []
    assert.notEqual(password, '')
    assert.match(
      out,
      /not shown again\. Sign in at http:\/\/127\.0\.0\.1:\d+\/account within a week/,
    )
    const shown = await scopegate(['user', 'show', 'root', '--json'])
    assert.ok(!shown.out.includes(password))
    assert.ok(!log.includes(password))
    const user = JSON.parse(shown.out)
    assert.deepEqual(user.roles, ['admin'])
    assert.equal(user.must_change_password, true)
    const list = await scopegate(['user', 'list'])
    assert.match(list.out, /^root +root +admin +one-time password +u_\S{22}$/m)
  })

  test('a password comes from standard input, or is typed twice without echo', async () => {
    const piped = await scopegate(
      ['user', 'add', 'piped', '--password-stdin', '--json'],
      Readable.from([`${PASSWORD}\n`]),
    )
    assert.equal(piped.code, 0, piped.err)
    assert.equal(JSON.parse(piped.out).must_change_password, false)
    assert.equal(JSON.parse(piped.out).one_time_password, undefined)

    const { stdin, modes } = terminal('lamx', '\u007f', 'p gravel otter seven\r', `${PASSWORD}\r`)
    const typed = await scopegate(['user', 'add', 'typed', '--password-prompt'], stdin)
    assert.equal(typed.code, 0, typed.err)
    assert.deepEqual(modes, [true, false, true, false])
    assert.ok(!`${typed.out}${typed.err}`.includes('otter'), 'nothing typed is shown')
  })

  test('what is typed differently, broken off, missing or weak changes nothing', async () => {
    const add = ['user', 'add', 'nobody']
    const prompt = [...add, '--password-prompt']
    const cases = [
      [prompt, terminal(`${PASSWORD}\r`, 'something else\r').stdin, /the passwords differ/],
      [prompt, terminal('lamp', '\u0003').stdin, /interrupted/],
      [prompt, Readable.from([]), /no terminal/],
      [[...add, '--password-stdin'], Readable.from(['\n']), /no password came/],
      [[...add, '--password-stdin'], Readable.from(['password1234']), /guessed soon/],
      [[...prompt, '--password-stdin'], Readable.from([PASSWORD]), /exclude each other/],
      [[...add, '--fhir-user', 'Observation/1'], Readable.from([]), /no reference to a person/],
    ] as const
    for (const [args, stdin, why] of cases) {
      const { code, err } = await scopegate(args, stdin)
      assert.equal(code, 1, String(why))
      assert.match(err, why)
      assert.match(err, /fix: |interrupted|exclude/)
    }
    assert.match((await scopegate(['user', 'show', 'nobody'])).err, /no user `nobody`/)
  })

  test('a user is changed, disabled, enabled and removed', async () => {
    const { id } = await json('user', 'add', 'anna', '--fhir-user', 'Practitioner/1')
    const set = await json(
      'user',
      'set',
      'ANNA',
      '--role',
      'nurse',
      '--role',
      'ward 3',
      '--name',
      'Anna',
    )
    assert.deepEqual(
      [set.name, set.roles, set.fhir_user],
      ['Anna', ['nurse', 'ward 3'], 'Practitioner/1'],
    )
    const cleared = await json('user', 'set', id, '--fhir-user', '', '--no-roles')
    assert.deepEqual([cleared.roles, cleared.fhir_user], [[], undefined])
    assert.match((await scopegate(['user', 'set', 'anna'])).err, /nothing is to be changed/)
    assert.equal((await json('user', 'disable', 'anna')).disabled, true)
    assert.equal((await json('user', 'enable', 'anna')).disabled, false)
    assert.match((await json('user', 'passwd', 'anna')).one_time_password, /^[a-z2-9-]{23}$/)
    assert.deepEqual((await json('user', 'reset-2fa', 'anna')).second_factors, [])
    assert.equal((await json('user', 'sign-out', 'anna')).ended, 0)
    const again = await scopegate(['user', 'add', 'Anna'])
    assert.match(again.err, /there is a user `Anna` already/)
    assert.equal((await json('user', 'remove', 'anna')).removed, true)
    assert.equal((await scopegate(['user', 'show', id])).code, 1)
  })

  test('all of it is in the audit, which stays intact', async () => {
    const verified = await json('audit', 'verify')
    assert.equal(verified.intact, true)
    assert.ok(verified.entries >= 12)
  })
})
