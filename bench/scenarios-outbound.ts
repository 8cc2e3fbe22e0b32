import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLabKey, serveLabTokenServer } from '@scopegate/lab'
import { loadApart } from './apart.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import { type Program, startProgram } from './gateway-program.ts'
import type { LoadResult } from './load.ts'
import type { LoadJob } from './load-process.ts'
import type { OutboundLibrary } from './outbound-library-process.ts'
import { paired } from './paired.ts'
import type { Row } from './row.ts'
import { type BenchServer, startServer } from './server-process.ts'
import { signsAlone } from './signs-alone.ts'

const CLIENT_ID = 'bench'
const SCOPES = 'admin/connections.token admin/keys.write admin/keys.sign'
const KEYS = [
  { name: 'rsa', generate: 'rsa-2048', algorithm: 'RS256', openssl: 'rsa2048' },
  { name: 'ec', generate: 'ec-p256', algorithm: 'ES256', openssl: 'ecdsap256' },
] as const

/** Tokens for outbound calls, the forward sidecar, and keys that sign without being seen. */
export async function outboundScenarios(folder: string, seconds: number): Promise<readonly Row[]> {
  const home = join(folder, 'outbound')
  await mkdir(home)
  const provider = await serveLabTokenServer({ keys: [createLabKey('ES256')] })
  const upstream = await startProgram({ what: 'upstream' })
  const proxy = await startProgram({ what: 'proxy', upstream: upstream.origin })
  const secret = randomBytes(24).toString('base64url')
  const config = `limits: { tokenRequestsPerMinute: 10000000, signInStartsPerMinute: 10000000 }
keyStore: { signaturesPerMinute: 1000000 }
clients:
  - { id: ${CLIENT_ID}, secret: env:BENCH_SECRET, grants: [client_credentials], scopes: "${SCOPES}" }
connections:
  - name: lab
    tokenEndpoint: ${provider.tokenEndpoint}
    grant: client_credentials
    clientId: lab-reader
    authentication: { method: client_secret_basic, secrets: [env:BENCH_SECRET] }
    scopes: [system/Patient.rs]
    upstream: ${upstream.origin}
`
  let server: BenchServer | undefined
  try {
    server = await startServer(home, config, { BENCH_SECRET: secret })
    const token = await tokenFor(server, secret)
    return [
      ...libraryRows(),
      ...(await handedOutRows(server, token, seconds)),
      ...(await sidecarRows(server, proxy, seconds)),
      ...(await signatureRows(server, token, seconds)),
    ]
  } finally {
    await server?.stop()
    upstream.stop()
    proxy.stop()
    await provider.close()
  }
}

function libraryRows(): readonly Row[] {
  const script = fileURLToPath(new URL('outbound-library-process.ts', import.meta.url))
  const ran = spawnSync(process.execPath, ['--conditions=source', '--expose-gc', script], {
    encoding: 'utf8',
  })
  if (ran.status !== 0) throw new Error(ran.stderr)
  const library = JSON.parse(ran.stdout) as OutboundLibrary
  return [
    {
      name: 'token that is there, library',
      value: library.perSecond,
      unit: '/s',
      limit: { name: 'MSAL Node', value: library.peerPerSecond },
      note: `p99 ${library.p99Micros.toFixed(0)} µs, MSAL Node ${library.peerP99Micros.toFixed(0)} µs`,
    },
    {
      name: 'memory of 10,000 tokens of 1,500 bytes, library',
      value: library.kilobytesOf10000 / 1024,
      unit: 'MB',
      limit: { name: 'their text', value: library.textKilobytesOf10000 / 1024 },
    },
  ]
}

async function handedOutRows(
  { url, pid }: BenchServer,
  token: string,
  seconds: number,
): Promise<readonly Row[]> {
  const job: LoadJob = {
    origin: url,
    path: '/admin/api/connections/lab/token',
    headers: { authorization: `Bearer ${token}` },
    seconds,
  }
  const { a, b, ratio } = await paired(job, { origin: url, path: '/healthz', seconds })
  const { cpuMicros } = await measured(pid, job)
  return [
    {
      name: 'token that is there, HTTP with its audit row',
      value: a.perSecond,
      unit: '/s',
      limit: { name: '`/healthz` of the same server', value: b.perSecond },
      note: `p99 ${a.p99Ms.toFixed(1)} ms; ${cpuMicros.toFixed(0)} µs CPU each; median ratio ${ratio.toFixed(2)}`,
    },
  ]
}

async function sidecarRows(
  server: BenchServer,
  proxy: Program,
  seconds: number,
): Promise<readonly Row[]> {
  const ours: LoadJob = { origin: server.url, path: '/out/lab/json', seconds, connections: 64 }
  const theirs: LoadJob = { origin: proxy.origin, path: '/json', seconds, connections: 64 }
  const { a, b, ratio } = await paired(ours, theirs)
  const cpu = await measured(server.pid, ours)
  const cpuOfProxy = await measured(proxy.pid, theirs)
  const one = await paired({ ...ours, connections: 1 }, { ...theirs, connections: 1 })
  return [
    {
      name: 'sidecar, 64 callers',
      value: a.perSecond,
      unit: '/s',
      limit: { name: 'bare undici proxy', value: b.perSecond },
      note: `p99 ${a.p99Ms.toFixed(1)} ms, proxy ${b.p99Ms.toFixed(1)} ms; median ratio ${ratio.toFixed(2)}`,
    },
    {
      name: 'sidecar: CPU of a request',
      value: cpu.cpuMicros,
      unit: 'µs',
      limit: { name: 'bare undici proxy', value: cpuOfProxy.cpuMicros },
    },
    {
      name: 'sidecar, one caller, p50',
      value: one.a.p50Ms,
      unit: 'ms',
      limit: { name: 'bare undici proxy', value: one.b.p50Ms },
      note: `adds ${(one.a.p50Ms - one.b.p50Ms).toFixed(2)} ms; p99 ${one.a.p99Ms.toFixed(2)} ms, proxy ${one.b.p99Ms.toFixed(2)} ms`,
    },
  ]
}

async function signatureRows(
  { url, pid }: BenchServer,
  token: string,
  seconds: number,
): Promise<readonly Row[]> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const rows: Row[] = []
  for (const { name, generate, algorithm, openssl } of KEYS) {
    const post = async (path: string, body: object) => {
      const answer = await fetch(`${url}/admin/api${path}`, {
        ...{ method: 'POST', headers, body: JSON.stringify(body) },
      })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    }
    await post('/keys', { name, generate })
    await post(`/keys/${name}/grants`, {
      client: CLIENT_ID,
      audience: ['https://partner.example/token'],
      issuer: 'bench',
      subject: 'bench',
    })
    const result = await measured(pid, {
      origin: url,
      path: `/admin/api/keys/${name}/sign-jwt`,
      method: 'POST',
      headers,
      bodies: [JSON.stringify({ aud: 'https://partner.example/token' })],
      seconds,
    })
    const bySpeed = opensslSigns(openssl, seconds)
    rows.push({
      name: `signatures with an audit row each, ${algorithm}`,
      value: result.perSecond,
      unit: '/s',
      limit: {
        name: '`crypto.sign`, one processor',
        value: signsAlone(generate, seconds),
      },
      note: `p99 ${result.p99Ms.toFixed(1)} ms; ${result.cpuMicros.toFixed(0)} µs CPU each${
        bySpeed === undefined
          ? ''
          : `; \`openssl speed ${openssl}\` ${Math.round(bySpeed).toLocaleString('en-US')}/s`
      }`,
    })
  }
  return rows
}

/** One load, and the processor time of Node for each request. */
async function measured(
  pid: number,
  job: LoadJob,
): Promise<LoadResult & { readonly cpuMicros: number }> {
  const before = await cpuSeconds(pid)
  const result = await loadApart(job)
  const used = (await cpuSeconds(pid)) - before
  return { ...result, cpuMicros: (used * 1e6) / result.sent }
}

/** Signatures per second of the machine's own OpenSSL; `undefined` where there is none. */
function opensslSigns(algorithm: string, seconds: number): number | undefined {
  const ran = spawnSync('openssl', ['speed', '-mr', '-seconds', String(seconds), algorithm], {
    encoding: 'utf8',
  })
  // `+F2:2:2048:<signatures per second>:…` for RSA, `+F4:` for ECDSA.
  const [, perSecond] = /^\+F[24]:\d+:\d+:([\d.]+):/m.exec(ran.stdout ?? '') ?? []
  return perSecond === undefined ? undefined : Number(perSecond)
}

async function tokenFor({ url }: BenchServer, secret: string): Promise<string> {
  const answer = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${CLIENT_ID}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: SCOPES,
      resource: `${url}/admin/api`,
    }),
  })
  if (!answer.ok) throw new Error(`no token: ${await answer.text()}`)
  return ((await answer.json()) as { access_token: string }).access_token
}
