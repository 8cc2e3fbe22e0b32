import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '@scopegate/lab'
import { LESSON_NAMES } from '../commands/learn.ts'
import type { LessonStep } from './exchange.ts'

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'scopegate.mjs')
const folder = mkdtempSync(join(tmpdir(), 'scopegate-learn-'))
const env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'config') }
let server: ChildProcess | undefined

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=source', BIN, ...args], { cwd: folder, env })
}

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command; `hear` sees its output as it comes. */
function scopegate(
  args: readonly string[],
  hear: (said: string, child: ChildProcess) => void = () => undefined,
): Promise<Ran> {
  const child = start(...args)
  let [out, err] = ['', '']
  child.stdout!.on('data', (chunk) => {
    out += chunk
    hear(out, child)
  })
  child.stderr!.on('data', (chunk) => {
    err += chunk
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

before(async () => {
  const up = start('up', '--port', String(await freePort()))
  server = up
  await new Promise<void>((resolve, reject) => {
    let said = ''
    const hear = (chunk: Buffer) => {
      said += chunk
      if (said.includes('find this server by')) resolve()
    }
    up.stdout!.on('data', hear)
    up.stderr!.on('data', hear)
    up.once('exit', () => reject(new Error(said)))
  })
})

after(async () => {
  if (server !== undefined && server.exitCode === null) {
    const gone = new Promise((resolve) => server!.once('exit', resolve))
    server.kill('SIGTERM')
    await gone
  }
  rmSync(folder, { recursive: true, force: true })
})

/** What lessons left behind: nothing. */
async function left(): Promise<readonly string[]> {
  const clients = await scopegate(['client', 'list', '--json'])
  const users = await scopegate(['user', 'list', '--json'])
  return [...JSON.parse(clients.out), ...JSON.parse(users.out)]
    .map(({ name }: { name: string }) => name)
    .filter((name) => name.includes('temporary'))
}

/** No whole JWT, no secret of ours, no long random text after a name that says it is one. */
function assertMasked(text: string): void {
  assert.doesNotMatch(text, /eyJ[\w-]{10,}\.[\w-]{10,}/)
  assert.doesNotMatch(text, /sg[a-z]_[\w-]{8,}/)
  assert.doesNotMatch(text, /"(?:\w+_token|client_secret|launch)\\?": \\?"[\w-]{12,}/)
  assert.doesNotMatch(
    text,
    /\b(?:\w+_token|password|csrf|code|code_verifier|launch|token)=[\w-]{12,}/,
  )
  assert.doesNotMatch(text, /(?:Bearer|Basic) [\w+/=-]{12,}/)
  assert.doesNotMatch(text, /scopegate_\w+(?:\.sig)?=[\w-]{12,}/)
}

const EXPECTED: Readonly<Record<(typeof LESSON_NAMES)[number], readonly number[]>> = {
  'client-credentials': [200, 200, 200, 403, 401],
  'backend-services': [200, 200, 200, 401],
  standalone: [200, 303, 200, 303, 200, 303, 200, 303, 200, 200, 200, 400, 401],
  'ehr-launch': [200, 303, 200, 303, 200, 303, 200, 303, 200, 200],
  refresh: [200, 200, 200, 200, 200, 200, 400, 401],
}

for (const name of LESSON_NAMES) {
  test(`${name} goes through to its end, masked, and leaves nothing behind`, async () => {
    const { code, out, err } = await scopegate(['learn', name, '--json'])
    assert.equal(code, 0, err)
    const lesson = JSON.parse(out) as { steps: readonly LessonStep[] }
    assert.deepEqual(
      lesson.steps.map(({ number }) => number),
      lesson.steps.map((_, index) => index + 1),
    )
    for (const { title, why } of lesson.steps) assert.ok(title !== '' && why.endsWith('.'), title)
    const statuses = lesson.steps.flatMap(({ exchange }) => exchange?.response.status ?? [])
    assert.deepEqual(statuses, EXPECTED[name])
    assertMasked(out)
    assert.deepEqual(await left(), [])
  })
}

test('a lesson is written for people and as Markdown, without colours where there is no terminal', async () => {
  const text = await scopegate(['learn', 'client-credentials'])
  assert.match(text.out, /^Client credentials: /)
  assert.match(text.out, /\n2\. Ask for a token\n/)
  assert.match(text.out, /\n {3}> POST \/oauth\/token HTTP\/1\.1\n/)
  assert.match(text.out, /\n {3}> Authorization: Basic \S{4}…\n/)
  assert.match(text.out, /\n {3}< 403 Forbidden\n/)
  assert.ok(!text.out.includes('\u001b'))
  assertMasked(text.out)
  const markdown = await scopegate(['learn', 'client-credentials', '--markdown'])
  assert.match(markdown.out, /^# Client credentials/)
  assert.match(markdown.out, /\n```http\nPOST \/oauth\/token HTTP\/1\.1\n/)
  assertMasked(markdown.out)
})

test('a lesson that is interrupted removes what it made', async () => {
  let isAsked = false
  const { code } = await scopegate(['learn', 'standalone'], (said, child) => {
    if (isAsked || !said.includes('\n3. ')) return
    isAsked = true
    child.kill('SIGINT')
  })
  assert.ok(isAsked)
  assert.notEqual(code, null)
  assert.deepEqual(await left(), [])
})

test('a lesson that nobody reads any more removes what it made', async () => {
  let isClosed = false
  await scopegate(['learn', 'standalone'], (said, child) => {
    if (isClosed || !said.includes('\n2. ')) return
    isClosed = true
    child.stdout!.destroy()
  })
  assert.deepEqual(await left(), [])
})

test('a lesson that fails says at which request, and removes what it made', async () => {
  const { code, err } = await scopegate(['learn', 'standalone', '--patient', 'no-such-patient'])
  assert.equal(code, 1)
  assert.match(err, /the lesson cannot go on: no patient `no-such-patient`/)
  assertMasked(err)
  assert.deepEqual(await left(), [])
})
