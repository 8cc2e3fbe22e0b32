/**
 * One throwaway PostgreSQL for all test processes of this user. The first one starts it; it ends a
 * few seconds after the last one is gone. Who is there is known from open connections to a socket,
 * which close however a process ends.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { prepareCluster } from '../embedded/cluster.ts'
import { dataLayout, SOCKET_PORT } from '../embedded/data-layout.ts'
import { tryLock } from '../embedded/directory-lock.ts'
import { stopServer } from '../embedded/end-server.ts'
import { spawnServer, waitUntilReady } from '../embedded/run-server.ts'
import { serverSettings, THROWAWAY } from '../embedded/server-settings.ts'
import { socketFolder } from '../embedded/socket-folder.ts'
import { usersSocket } from './shared-cluster-folder.ts'

const IDLE_MS = 5000

const dir = process.argv[2] as string
mkdirSync(dir, { recursive: true, mode: 0o700 })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

// Whoever loses the race is not needed: its starter connects to the winner.
const lock = tryLock(join(dir, 'lock'))
if (lock) await serve()

async function serve(): Promise<void> {
  const layout = dataLayout(dir)
  const users = usersSocket(dir)
  mkdirSync(layout.root, { recursive: true, mode: 0o700 })
  rmSync(users, { force: true })
  const cluster = await prepareCluster(layout, false)
  const { path: folder, outside } = socketFolder(layout.root)
  const child = spawnServer(
    cluster,
    { socketFolder: folder, port: SOCKET_PORT },
    { ...serverSettings({ max_connections: '300', shared_buffers: '128MB' }), ...THROWAWAY },
  )
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await waitUntilReady(cluster, child, 0, 60_000)

  const { promise: idle, resolve: leave } = Promise.withResolvers<void>()
  const connected = new Set<Socket>()
  let timer = setTimeout(leave, IDLE_MS * 2)
  const server = createServer((socket) => {
    clearTimeout(timer)
    connected.add(socket)
    socket.on('error', () => {})
    socket.resume()
    socket.once('close', () => {
      connected.delete(socket)
      if (connected.size === 0) timer = setTimeout(leave, IDLE_MS)
    })
    socket.write(`${JSON.stringify({ host: folder, port: SOCKET_PORT })}\n`)
  })
  server.listen(users)
  await Promise.race([idle, exited])

  server.close()
  for (const socket of connected) socket.destroy()
  if (child.exitCode === null && child.signalCode === null) await stopServer(child.pid as number)
  rmSync(layout.root, { recursive: true, force: true })
  if (outside) rmSync(folder, { recursive: true, force: true })
  process.exit()
}
