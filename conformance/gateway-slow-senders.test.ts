import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openGateway, type TestGateway } from './support/open-gateway.ts'
import { openSidecar } from './support/open-sidecar.ts'
import { openUpstream } from './support/upstream.ts'

// S15: callers who may call, and send their bodies slowly, keep nobody else of the same API waiting.
// Nothing here measures time: what counts is what has happened while the senders were still sending.
const CONNECTIONS = 4
const PLACES = CONNECTIONS / 2
const KIB = 1024

/** Answers with the hash of what it got, and knows what it has got so far. */
async function openReceiver() {
  const seen = { sending: 0, broken: 0, paths: [] as string[] }
  const upstream = await openUpstream(async (request: IncomingMessage, response) => {
    seen.paths.push(request.url ?? '')
    if (request.url === '/duplex') {
      request.on('data', (chunk: Buffer) => response.write(`got ${chunk}\n`))
      request.on('end', () => response.end())
      return
    }
    const hash = createHash('sha256')
    seen.sending += 1
    try {
      for await (const chunk of request) hash.update(chunk)
    } catch {
      seen.broken += 1
      return
    } finally {
      seen.sending -= 1
    }
    response.end(hash.digest('hex'))
  })
  return { url: upstream.url, seen, close: () => upstream.close() }
}

const shaOf = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

interface Sender {
  readonly socket: Socket
  /** What was answered so far. */
  got(): string
  /** Everything, when it is over. */
  readonly answer: Promise<string>
}

interface Door {
  readonly path: string
  readonly authorization: string
  open(): Socket
}

/** Sends the begin of a body, and keeps the rest. */
function beginSending(door: Door, length: number | 'chunked', first: string | Buffer): Sender {
  const socket = door.open().on('error', () => undefined)
  let got = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    got += chunk
  })
  const size = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  socket.write(
    `POST ${door.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${door.authorization}${size}\r\nConnection: close\r\n\r\n`,
  )
  socket.write(first)
  return { socket, got: () => got, answer: once(socket, 'close').then(() => got) }
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1200; i += 1) {
    if (await isSo()) return
    await wait(25)
  }
  assert.fail(`it did not happen: ${what}`)
}

const doorOf = (at: TestGateway, path = '/api/slow'): Door => ({
  path,
  authorization: `Authorization: Bearer ${at.token()}\r\n`,
  open: () => at.open(),
})

type Seen = Awaited<ReturnType<typeof openReceiver>>['seen']

async function using(
  limits: NonNullable<Parameters<typeof openGateway>[0]['limits']>,
  use: (at: TestGateway, seen: Seen) => Promise<void>,
): Promise<void> {
  const { url, seen, close } = await openReceiver()
  const at = await openGateway({
    upstream: url,
    limits: { connections: CONNECTIONS, bodyBytesPerSecond: 0, ...limits },
  })
  try {
    await use(at, seen)
  } finally {
    await at.close()
    await close()
  }
}

/** As many as may, hold a connection; more of them stand behind. */
async function flood(at: TestGateway, seen: Seen, count: number, first = 'x'): Promise<Sender[]> {
  const senders = Array.from({ length: count }, () => beginSending(doorOf(at), 100_000, first))
  await Promise.all(senders.map(({ socket }) => socket.connecting && once(socket, 'connect')))
  await until(() => seen.sending === PLACES, 'they have what they can get')
  return senders
}

function connectionsOf({ server }: TestGateway): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

describe('S15 slow senders of bodies at one API', () => {
  for (const [what, first] of [
    ['one byte', 'x'],
    ['much of it', 'x'.repeat(48 * KIB)],
  ] as const) {
    test(`hold no more than half of the connections when they have sent ${what}: others are answered while they send`, async () => {
      await using({}, async (at, seen) => {
        const senders = await flood(at, seen, CONNECTIONS * 3, first)
        for (let i = 0; i < 10; i += 1) {
          const answers = await Promise.all([
            at.fetch('/api/get'),
            at.fetch('/api/post', { method: 'POST', body: 'small' }),
            at.fetch('/api/get'),
          ])
          assert.deepEqual(
            answers.map(({ status }) => status),
            [200, 200, 200],
          )
          assert.equal(await answers[1]!.text(), shaOf('small'))
        }
        assert.ok(
          senders.every(({ got, socket }) => got() === '' && !socket.destroyed),
          'all of them are still sending',
        )
        assert.ok(seen.sending <= PLACES)
        assert.equal(seen.paths.filter((path) => path === '/slow').length, PLACES)
        // Nobody was sent away, and nothing of what they sent is lost.
        for (const { socket } of senders) socket.write('y'.repeat(100_000 - first.length))
        const whole = shaOf(first + 'y'.repeat(100_000 - first.length))
        for (const { answer } of senders) {
          const text = await answer
          assert.match(text, /^HTTP\/1\.1 200 /)
          assert.ok(text.includes(whole))
        }
      })
    })
  }

  test('a large body waits without a connection, and arrives whole when one is free', async () => {
    await using({}, async (at, seen) => {
      const senders = await flood(at, seen, PLACES)
      const body = randomBytes(5 * KIB * KIB)
      const large = at.fetch('/api/large', { method: 'POST', body })
      assert.equal((await at.fetch('/api/get')).status, 200)
      assert.ok(!seen.paths.includes('/large'))
      senders[0]!.socket.destroy()
      const answer = await large
      assert.equal(await answer.text(), shaOf(body))
      await until(() => seen.broken === 1, 'the upstream sees who hung up go')
      for (const { socket } of senders) socket.destroy()
    })
  })

  test('who hangs up while waiting is never sent, nor who sends more than is taken', async () => {
    await using({ bodyBytes: 10_000 }, async (at, seen) => {
      const door = doorOf(at)
      const holders = Array.from({ length: PLACES }, () => beginSending(door, 10_000, 'x'))
      await until(() => seen.sending === PLACES, 'all places are taken')
      const gone = beginSending(doorOf(at, '/api/gone'), 10_000, 'x')
      await once(gone.socket, 'connect')
      const large = beginSending(
        doorOf(at, '/api/too-large'),
        'chunked',
        `2711\r\n${'x'.repeat(10_001)}\r\n`,
      )
      await until(() => large.got() !== '', 'it was answered')
      assert.match(large.got(), /^HTTP\/1\.1 413 /)
      gone.socket.destroy()
      await until(async () => (await connectionsOf(at)) <= PLACES, 'they are gone')
      for (const { socket } of holders) socket.write('y'.repeat(9999))
      for (const { answer } of holders) assert.match(await answer, /^HTTP\/1\.1 200 /)
      assert.equal((await at.fetch('/api/get')).status, 200)
      assert.deepEqual([...new Set(seen.paths)].sort(), ['/get', '/slow'])
    })
  })

  test('are given up when others wait for their place: 408, and the others are served', async () => {
    await using({ bodyBytesPerSecond: 1000, bodyWindowMs: 1000 }, async (at, seen) => {
      const senders = await flood(at, seen, PLACES)
      const body = 'z'.repeat(1024 * KIB)
      const waiting = await at.fetch('/api/waits', { method: 'POST', body })
      assert.equal(await waiting.text(), shaOf(body))
      const text = await Promise.race(senders.map(({ answer }) => answer))
      assert.match(text, /^HTTP\/1\.1 408 /)
      assert.match(text, /"code":"request_too_slow"/)
      assert.match(text, /at least 1000 bytes per second/)
      const refused = at.traces.find(({ status }) => status === 408)
      assert.equal(refused?.outcome, 'refused')
      for (const { socket } of senders) socket.destroy()
    })
  })

  test('beyond those who may wait are told to come again, and who sends no body is served', async () => {
    await using({ queued: 3 }, async (at, seen) => {
      const senders = await flood(at, seen, PLACES + 3 + 2)
      const text = await Promise.race(senders.map(({ answer }) => answer))
      assert.match(text, /^HTTP\/1\.1 503 /)
      assert.match(text, /retry-after: 1\r\n/i)
      assert.match(text, /"code":"upstream_busy"/)
      assert.equal((await at.fetch('/api/get')).status, 200)
      for (const { socket } of senders) socket.destroy()
    })
  })

  test('are not hindered while there is room: who waits for an answer before going on gets it', async () => {
    await using({}, async (at) => {
      const talk = beginSending(doorOf(at, '/api/duplex'), 'chunked', '3\r\none\r\n')
      await until(() => talk.got().includes('got one'), 'the answer to the first piece')
      talk.socket.write('3\r\ntwo\r\n')
      await until(() => talk.got().includes('got two'), 'the answer to the second')
      talk.socket.write('0\r\n\r\n')
      assert.match(await talk.answer, /^HTTP\/1\.1 200 /)
    })
  })
})

test('the sidecar keeps half of the connections for others, too', async () => {
  const { url, seen, close } = await openReceiver()
  const sidecar = await openSidecar({
    upstream: url,
    connection: { limits: { connections: CONNECTIONS, bodyBytesPerSecond: 0 } },
  })
  try {
    const door = { path: '/out/lab/slow', authorization: '', open: () => sidecar.open() }
    const senders = Array.from({ length: CONNECTIONS * 3 }, () => beginSending(door, 1000, 'x'))
    await until(() => seen.sending === PLACES, 'they have what they can get')
    for (let i = 0; i < 10; i += 1) {
      assert.equal((await sidecar.fetch('/out/lab/get')).status, 200)
      const posted = await sidecar.fetch('/out/lab/post', { method: 'POST', body: 'small' })
      assert.equal(await posted.text(), shaOf('small'))
    }
    assert.ok(senders.every(({ got }) => got() === ''))
    for (const { socket } of senders) socket.write('y'.repeat(999))
    for (const { answer } of senders) assert.match(await answer, /^HTTP\/1\.1 200 /)
  } finally {
    await sidecar.close()
    await close()
  }
})
