import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '@scopegate/lab'
import { visitAuthorizeUrl } from './support/launch-app.ts'

// The example as its README tells it: one command, then the lines that it prints, as pasted.
const root = join(import.meta.dirname, '..')
const run = promisify(execFile)

const [port, appPort] = [String(await freePort()), String(await freePort())]
const example = spawn(
  process.execPath,
  ['examples/bank/run.mjs', '--port', port, '--bank-port', '0', '--app-port', appPort],
  { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
)
after(async () => {
  if (example.exitCode !== null) return
  example.kill('SIGTERM')
  await once(example, 'exit')
})
const printed = await textUntil(example, 'stdout', 'Ctrl-C ends all of it.')
const url = `http://127.0.0.1:${port}`
const shell = (lines: readonly string[]) =>
  run('sh', ['-c', lines.join('\n')], { cwd: root }).then(({ stdout }) => stdout)

function textUntil(child: ChildProcess, stream: 'stdout' | 'stderr', end: string): Promise<string> {
  let all = ''
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the example ended:\n${all}`)))
    for (const each of ['stdout', 'stderr'] as const) {
      child[each]?.on('data', (chunk) => {
        all += chunk
        if (each === stream && all.includes(end)) resolve(all)
      })
    }
  })
}

function linesWith(...words: readonly string[]): string[] {
  const lines = printed.split('\n').filter((line) => words.some((word) => line.includes(word)))
  assert.ok(lines.length > 0, printed)
  return lines
}

describe('the bank example', () => {
  test('without a token: a bare challenge', async () => {
    const refused = await fetch(`${url}/bank/checkbalance`)
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer realm="bank"/)
    assert.doesNotMatch(refused.headers.get('www-authenticate') ?? '', /error=/)
  })

  test('the printed lines: a balance, a refusal that names the scope, a transfer', async () => {
    const monitor = await shell(linesWith('MONITOR'))
    assert.match(monitor, /^\{"dollars":5\}/)
    assert.match(monitor, /HTTP\/1\.1 403 /)
    assert.match(monitor, /error="insufficient_scope".*scope="bank\.transfer\.write"/)
    const demo = await shell(linesWith('DEMO=', '$DEMO'))
    assert.match(demo, /HTTP\/1\.1 200 /)
    assert.match(demo, /\{"dollars":3\}\n$/)
  })

  test('people: the money of one is with the other; the scope decides, not the client', async () => {
    const signIn = async (name: string, scope: string) => {
      const [, password = ''] = new RegExp(`${name} \\(password ([^)]+)\\)`).exec(printed) ?? []
      const [, secret = ''] = /CLIENT_SECRET=(\S+)/.exec(printed) ?? []
      const child = spawn(process.execPath, ['examples/bank/sign-in.mjs', 'bank-demo', scope], {
        cwd: root,
        env: {
          ...process.env,
          BANK_URL: url,
          CLIENT_SECRET: secret,
          REDIRECT_URI: `http://127.0.0.1:${appPort}/callback`,
        },
      })
      const ended = once(child, 'exit')
      let token = ''
      child.stdout.on('data', (chunk) => {
        token += chunk
      })
      const said = await textUntil(child, 'stderr', 'http')
      const authorize = new URL(said.slice(said.indexOf('http')).trim())
      const callback = await visitAuthorizeUrl(authorize, { id: name, username: name, password })
      await (await fetch(callback)).text()
      assert.equal((await ended)[0], 0)
      return token.trim()
    }
    const call = (token: string, path: string, body?: object) =>
      fetch(`${url}/bank${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    const dollars = async (token: string) =>
      ((await (await call(token, '/checkbalance')).json()) as { dollars: number }).dollars
    const one = await signIn('user1', 'bank.balance.read bank.transfer.write')
    const two = await signIn('user2', 'bank.balance.read')
    assert.deepEqual([await dollars(one), await dollars(two)], [3, 2])
    const transfer = { toAccount: 'ACCT-2', dollars: 1 }
    assert.equal((await call(one, '/transfer', transfer)).status, 200)
    assert.deepEqual([await dollars(one), await dollars(two)], [2, 3])
    assert.equal((await call(two, '/transfer', transfer)).status, 403)
  })
})
