import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { emptyTestDatabase } from '@scopegate/storage/testing'
import { createOperator, fetchToken, until } from './operating/operator.ts'

// broker-and-mail.md scenario 38: the master key changes while several servers work on one database.
const operator = createOperator()
const client = { id: 'loader', secret: 'loader-secret-0123456789abcdef' }
const env = { LOADER_SECRET: client.secret }
const CLIENTS =
  'clients:\n  - { id: loader, secret: env:LOADER_SECRET, scopes: "system/*.cruds" }\n'

interface Status {
  readonly state: string
  readonly current: string
  readonly former: readonly string[]
}

async function rekey(...args: string[]): Promise<Status> {
  const { code, out, err } = await operator.scopegate('secrets', 'rekey', '--json', ...args)
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

/** Asks a server for tokens until it is told to stop; what failed. */
function load(url: string) {
  let isOn = true
  const failures: string[] = []
  let answers = 0
  const running = (async () => {
    while (isOn) {
      await fetchToken(url, client, 'system/Patient.rs').then(
        () => {
          answers += 1
        },
        (error) => failures.push(String(error)),
      )
      await sleep(20)
    }
  })()
  return {
    async stop() {
      isOn = false
      await running
      return { answers, failures }
    },
  }
}

// Both wait more than they work.
describe('the master key', { concurrency: true }, () => {
  test('changes while two servers serve, goes on after kill -9, and the old one is needed no more', async (t) => {
    const url = await emptyTestDatabase(t)
    const config = operator.file(
      'two.yaml',
      `storage: { url: env:DATABASE_URL }\nsecrets: { masterKeyFile: ./shared.key }\n${CLIENTS}`,
    )
    const options = { config, env: { ...env, DATABASE_URL: url } }
    const one = await operator.up({ ...options, data: 'one' })
    const two = await operator.up({ ...options, data: 'two' })
    const user = await operator.run(
      ['user', 'add', 'sample', '--password-stdin', '--url', two.url, '--json'],
      { input: 'correct horse battery sample\n' },
    )
    assert.equal(user.code, 0, user.err)
    const working = load(one.url)

    // Whoever began it is killed: another goes on with it.
    const begun = await rekey('--no-wait', '--url', two.url)
    two.child.kill('SIGKILL')
    await two.exited
    assert.equal(begun.former.length, 1)
    const three = await operator.up({ ...options, data: 'three' })
    const done = await until(
      () => rekey('--status', '--url', three.url),
      ({ state }) => state === 'done',
      120_000,
    )
    assert.equal(done.current, begun.current)
    const { failures, answers } = await working.stop()
    assert.deepEqual(failures, [])
    assert.ok(answers > 20)

    const verified = await operator.scopegate('audit', 'verify', '--url', three.url)
    assert.equal(verified.code, 0, verified.out + verified.err)
    assert.deepEqual(await Promise.all([one.stop(), three.stop()]), [0, 0])

    // The old key is taken away: everything opens, and the audit chain holds.
    const lines = readFileSync(operator.path('shared.key'), 'utf8').split('\n')
    const old = begun.former[0] ?? ''
    assert.ok(lines[0]?.includes(begun.current), 'the new key is on top')
    writeFileSync(
      operator.path('shared.key'),
      lines.filter((line) => !line.includes(old)).join('\n'),
    )
    const again = await operator.up({ ...options, data: 'two' })
    await fetchToken(again.url, client, 'system/Patient.rs')
    const later = await operator.scopegate('audit', 'verify', '--url', again.url)
    assert.equal(later.code, 0, later.out + later.err)
    assert.equal(await again.stop(), 0)

    // The old key alone opens nothing any more.
    writeFileSync(
      operator.path('shared.key'),
      lines.filter((line) => !line.includes(begun.current)).join('\n'),
    )
    await assert.rejects(operator.up({ ...options, data: 'two' }), (error: Error) => {
      assert.match(error.message, /sealed with master key/)
      assert.ok(error.message.includes(begun.current))
      assert.ok(!error.message.includes('"msg":"ready"'))
      return true
    })
  })

  test('that is referred to changes once the new one stands in front of the old one', async () => {
    const key = (name: string, byte: number) =>
      operator.file(name, `${Buffer.alloc(32, byte).toString('base64')}\n`)
    key('old.key', 1)
    key('new.key', 2)
    const yaml = (reference: string) => `secrets: { masterKey: ${reference} }\n${CLIENTS}`
    const config = operator.file('referred.yaml', yaml('file:old.key'))
    const server = await operator.up({ config, env, data: 'referred' })
    const early = await operator.scopegate('secrets', 'rekey', '--url', server.url)
    assert.equal(early.code, 1)
    assert.match(early.err, /in force already: put a new one in front/)

    // Followed as soon as the file says so; no restart.
    operator.file('referred.yaml', yaml('[file:new.key, file:old.key]'))
    const begun = await until(
      () => operator.scopegate('secrets', 'rekey', '--no-wait', '--json', '--url', server.url),
      ({ code }) => code === 0,
    )
    const { current } = JSON.parse(begun.out) as Status
    const done = await until(
      () => rekey('--status', '--url', server.url),
      ({ state }) => state === 'done',
      120_000,
    )
    assert.equal(done.current, current)
    operator.file('referred.yaml', yaml('file:new.key'))
    await until(
      () => server.stdout() + server.stderr(),
      (log) => log.split('configuration changed').length >= 3,
    )
    await fetchToken(server.url, client, 'system/Patient.rs')
    assert.equal(await server.stop(), 0)
    const again = await operator.up({ config, env, data: 'referred' })
    await fetchToken(again.url, client, 'system/Patient.rs')
    assert.equal(await again.stop(), 0)
  })
})
