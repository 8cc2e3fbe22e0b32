import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { loadApart } from './apart.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import type { LoadJob } from './load-process.ts'
import type { Row } from './row.ts'
import { startServer } from './server-process.ts'

const CLIENT_ID = 'bench'
const SCOPE = 'system/Observation.rs'

/**
 * Tokens of programs over TLS 1.3 (P-256): on connections that stay, and each on a connection of its
 * own, as programs that ask once an hour do. Others' figures per processor are of the second kind.
 */
export async function tlsScenarios(folder: string, seconds: number): Promise<readonly Row[]> {
  const home = join(folder, 'tls')
  await mkdir(home)
  const secret = randomBytes(24).toString('base64url')
  const config = `limits: { tokenRequestsPerMinute: 10000000, signInStartsPerMinute: 10000000 }
clients:
  - { id: ${CLIENT_ID}, secret: env:BENCH_SECRET, grants: [client_credentials], scopes: "${SCOPE}" }
`
  const server = await startServer(home, config, { BENCH_SECRET: secret }, { tls: true })
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT_ID,
    client_secret: secret,
    scope: SCOPE,
  }).toString()
  try {
    const rows: Row[] = []
    for (const reconnect of [false, true]) {
      const job: LoadJob = {
        ...{ origin: server.url, path: '/oauth/token', bodies: [body], reconnect },
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        ...(server.ca && { ca: server.ca }),
      }
      await loadApart({ ...job, seconds: 1 })
      const cpuBefore = await cpuSeconds(server.pid)
      const result = await loadApart({ ...job, seconds })
      const cpuMs = (((await cpuSeconds(server.pid)) - cpuBefore) / result.sent) * 1000
      rows.push({
        name: reconnect ? 'tokens over TLS, a handshake each' : 'tokens over TLS, kept alive',
        value: result.perSecond,
        unit: '/s',
        note: `p95 ${result.p95Ms.toFixed(1)} ms, ${cpuMs.toFixed(2)} ms CPU each: ${Math.round(1000 / cpuMs)}/s for each processor`,
      })
    }
    return rows
  } finally {
    await server.stop()
  }
}
