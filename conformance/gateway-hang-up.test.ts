import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openGateway } from './support/open-gateway.ts'
import { openUpstream } from './support/upstream.ts'

// S12: clients that hang up in the middle of an answer must not hold the connections to the upstream.
const CLIENTS = 500
const POOL = 16
/** Connections that `fetch` keeps. */
const OURS = 2

const PIECE = Buffer.alloc(128 * 1024)
let open = 0
let opened = 0
let ended = 0
const upstream = await openUpstream((request, response) => {
  if (request.url === '/quick') {
    response.end('quick')
    return
  }
  open += 1
  opened += 1
  response.once('close', () => {
    open -= 1
    ended += 1
  })
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  // Never an end; of every eighth more than fits into all buffers on the way, so that it waits.
  const pieces = opened % 8 === 0 ? 24 : 1
  for (let i = 0; i < pieces; i += 1) response.write(PIECE)
})
const gateway = await openGateway({
  upstream: upstream.url,
  limits: { connections: POOL, queued: 2000, headersTimeoutMs: 120_000, bodyTimeoutMs: 120_000 },
})
after(async () => {
  await gateway.close()
  await upstream.close()
})

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 600; i += 1) {
    if (await isSo()) return
    await wait(50)
  }
  assert.fail(`it did not happen: ${what}`)
}

const request = `GET /api/slow HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer ${gateway.token()}\r\n\r\n`

describe(`S12 ${CLIENTS} clients hang up`, () => {
  test('in the middle of the answer: the next request is served, the upstream sees them go', async () => {
    for (let done = 0; done < CLIENTS; done += POOL) {
      const sockets = Array.from({ length: POOL }, () => gateway.open())
      await Promise.all(
        sockets.map(async (socket) => {
          socket.on('error', () => undefined)
          socket.write(request)
          await once(socket, 'data')
          socket.pause()
        }),
      )
      for (const socket of sockets) socket.destroy()
    }
    const answer = await gateway.fetch('/api/quick')
    assert.equal(await answer.text(), 'quick')
    await until(() => open === 0, 'the upstream sees every one of them go')
    assert.ok(ended >= CLIENTS)
  })

  test('while they wait for a connection: their requests are never sent', async () => {
    const before = opened
    // These hold every connection; the rest waits behind them.
    const holders = Array.from({ length: POOL }, () => gateway.open())
    for (const socket of holders) socket.on('error', () => undefined).write(request)
    await until(() => opened === before + POOL, 'all connections are in use')
    const waiting = Array.from({ length: CLIENTS }, () => gateway.open())
    for (const socket of waiting) socket.on('error', () => undefined).write(request)
    await until(async () => (await connectionsOf()) >= POOL + CLIENTS, 'all requests have arrived')
    for (const socket of waiting) socket.destroy()
    await until(async () => (await connectionsOf()) <= POOL + OURS, 'the gateway has seen them go')
    for (const socket of holders) socket.destroy()
    assert.equal(await (await gateway.fetch('/api/quick')).text(), 'quick')
    await until(() => open === 0, 'nothing is left at the upstream')
    assert.equal(opened, before + POOL)
  })

  test('and nothing of it is left: no connection of a client, no request in the books', async () => {
    await until(async () => (await connectionsOf()) <= OURS, 'no sockets are left')
    assert.deepEqual(gateway.errors, [])
  })
})

function connectionsOf(): Promise<number> {
  return new Promise((resolve, reject) =>
    gateway.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}
