import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createLabKey,
  type LabAccessToken,
  serveLabResource,
  serveLabTokenServer,
} from '@scopegate/lab'
import { emptyTestDatabase } from '@scopegate/storage/testing'
import { createOperator, type RunningServer, until } from './operating/operator.ts'
import { LAB_SECRET, labConnection } from './support/open-broker-server.ts'

// Scenarios 2, 4 and 9: server processes on one PostgreSQL, as an operator starts them.
const SERVERS = Number(process.env.SCOPEGATE_BROKER_PROCESSES ?? 3)
const EXPIRIES = Number(process.env.SCOPEGATE_BROKER_EXPIRIES ?? 2)
const CALLERS = 5
const LIFE_SECONDS = 4

const operator = createOperator()
const lab = await serveLabTokenServer({
  keys: [createLabKey('ES256')],
  refreshTokens: { rotate: true },
})
/** Tokens that were sent while they lived. */
const sent = new Map<string, LabAccessToken>()
const resource = await serveLabResource({
  tokens: {
    // One may end on its way here; how long that takes says something of this machine alone.
    readAccessToken(token) {
      const known = lab.readAccessToken(token) ?? sent.get(token)
      if (known !== undefined) sent.set(token, known)
      return known
    },
  },
})
after(async () => {
  await Promise.all([lab.close(), resource.close()])
})
const refreshToken = lab.mintRefreshToken({ clientId: 'person', scopes: ['a'] })
// A lease lasts as much longer, and whoever is killed must be killed before its request has ended.
const timeout = 'timeoutSeconds: 3'
const config = operator.file(
  'scopegate.yaml',
  `storage: { url: env:DATABASE_URL }
secrets: { masterKeyFile: ./shared.key }
connections:
${labConnection(lab, resource, { name: 'many', more: ['clientId: many'] })}
${labConnection(lab, resource, { name: 'lab', more: ['clientId: lab', timeout] })}
${labConnection(lab, resource, {
  name: 'person',
  more: [
    'clientId: person',
    'grant: refresh_token',
    'refreshToken: env:REFRESH_TOKEN',
    'scopes: [a]',
    timeout,
  ],
})}
`,
)
const database = await emptyTestDatabase()
const env = { DATABASE_URL: database, LAB_SECRET, REFRESH_TOKEN: refreshToken }
// The first makes the tables and the key; the others find them.
const victim = await operator.up({ config, env, data: 'server-0' })
const servers = await Promise.all(
  Array.from({ length: SERVERS - 1 }, (_, index) =>
    operator.up({ config, env, data: `server-${index + 1}` }),
  ),
)

/** Callers at a server who never pause for long, until they are told to stop. */
function callers(t: TestContext, server: RunningServer, name: string) {
  const failures: string[] = []
  let calls = 0
  let isOn = true
  t.after(() => {
    isOn = false
  })
  const running = Array.from({ length: CALLERS }, async () => {
    while (isOn) {
      const answer = await fetch(`${server.url}/out/${name}/Patient/1`).catch((error) => error)
      if (answer instanceof Error) failures.push(String(answer))
      else if (answer.status !== 200) failures.push(`${answer.status} ${await answer.text()}`)
      else await answer.arrayBuffer()
      calls += 1
      await sleep(20)
    }
  })
  return {
    async stop() {
      isOn = false
      await Promise.all(running)
      return { calls, failures }
    },
  }
}

const requestsOf = (name: string) =>
  lab.requests.filter(({ headers }) => {
    const [, basic = ''] = headers.authorization?.split(' ') ?? []
    return Buffer.from(basic, 'base64').toString().startsWith(`${name}:`)
  })

test(`${SERVERS} servers with ${CALLERS} callers each make one token request per expiry, also through a short outage`, async (t) => {
  lab.conditions.accessTokenSeconds = LIFE_SECONDS
  lab.conditions.delayMs = 150
  const load = [victim, ...servers].map((server) => callers(t, server, 'many'))
  const issued = () => requestsOf('many').filter(({ status }) => status === 200)
  await until(issued, ({ length }) => length > EXPIRIES / 2, 120_000)
  // The next attempts of whoever it is are refused: in the refresh window, where nobody notices.
  lab.say({ status: 503 }, { status: 503 })
  await until(issued, ({ length }) => length > EXPIRIES, 120_000)
  const done = await Promise.all(load.map((each) => each.stop()))

  assert.deepEqual(
    done.flatMap(({ failures }) => failures),
    [],
  )
  assert.equal(lab.counts.maxInFlight, 1)
  assert.equal(resource.counts.refused, 0)
  const times = issued().map(({ receivedAtMs }) => receivedAtMs)
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  // Due after half of its life, a tenth of that earlier or later.
  const least = LIFE_SECONDS * 1000 * 0.45 - 200
  assert.ok(
    gaps.every((gap) => gap >= least),
    `${gaps}`,
  )
  const calls = done.map(({ calls }) => calls)
  assert.ok(
    calls.every((count) => count > 10),
    `${calls}`,
  )
})

test('kill -9 of the server that is asking: the others take over, and nobody fails; a refresh token that may be used up is not sent again', async (t) => {
  Object.assign(lab.conditions, { accessTokenSeconds: 10, delayMs: 0 })
  lab.forget()
  assert.equal((await fetch(`${victim.url}/out/lab/Patient/1`)).status, 200)
  const release = lab.hold()
  // A call starts the renewal when it is due; then this server holds the lease, and waits.
  await until(
    async () => {
      const answer = await fetch(`${victim.url}/out/lab/Patient/1`)
      assert.equal(answer.status, 200)
      return lab.counts.inFlight
    },
    (inFlight) => inFlight === 1,
  )
  const person = fetch(`${victim.url}/out/person/Patient/1`).catch(() => undefined)
  await until(
    () => lab.counts.inFlight,
    (inFlight) => inFlight === 2,
  )
  const load = servers.map((server) => callers(t, server, 'lab'))
  victim.child.kill('SIGKILL')
  await Promise.all([victim.exited, person])
  release()
  lab.conditions.accessTokenSeconds = 300

  // One for the first token, one of the victim, one of whoever took over.
  await until(
    () => requestsOf('lab').length,
    (count) => count === 3,
    60_000,
  )
  const newest = () => lab.counts.issued
  await until(newest, (issued) => issued >= 4)
  await sleep(300)
  const done = await Promise.all(load.map((each) => each.stop()))
  assert.deepEqual(
    done.flatMap(({ failures }) => failures),
    [],
  )
  assert.equal(requestsOf('lab').length, 3)

  const [other] = servers as [RunningServer, ...RunningServer[]]
  const answer = await fetch(`${other.url}/out/person/Patient/1`)
  assert.equal(answer.status, 502)
  const problem = (await answer.json()) as { code: string; kind: string }
  assert.equal(problem.kind, 'sign-in')
  assert.match(problem.code, /^refresh_token_(lost|uncertain)$/)
  assert.equal(requestsOf('person').length, 1, 'sent once, and never again')
})

test('a server that starts again uses the token that is there', async () => {
  const before = lab.counts.requests
  const again = await operator.up({ config, env, data: 'server-0' })
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => fetch(`${again.url}/out/lab/Patient/1`)),
  )
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  assert.equal(lab.counts.requests, before)
  assert.equal(await again.stop(), 0)
})
