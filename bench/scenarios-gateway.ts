import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { loadApart } from './apart.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import { LARGE_BYTES } from './gateway-process.ts'
import { type Program, startProgram } from './gateway-program.ts'
import type { LoadResult } from './load.ts'
import type { Row } from './row.ts'
import { verifyAlone } from './verify-alone.ts'

interface Measured extends LoadResult {
  readonly cpuMicros: number
}

const ROUNDS = 3

/** The API gateway beside the least that a proxy of undici can be, and a bare Node server. */
export async function gatewayScenarios(seconds: number): Promise<readonly Row[]> {
  const lab = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('RS256')] })
  const upstream = await startProgram({ what: 'upstream' })
  const guard = { issuer: lab.issuer, keySet: lab.keySet, upstream: upstream.origin }
  const programs = {
    upstream,
    proxy: await startProgram({ what: 'proxy', upstream: upstream.origin }),
    hot: await startProgram({ what: 'gateway', ...guard }),
    traceless: await startProgram({ what: 'gateway', ...guard, trace: 'off' }),
    cold: await startProgram({ what: 'gateway', ...guard, cache: 'cold' }),
  }
  const token = lab.mintToken({
    audience: 'http://gateway.example/api',
    scope: 'api read',
    expiresInSeconds: 3600,
  })
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  try {
    const measured = await inTurn(programs, (name, program) =>
      measure(program, { path: prefixed(name, '/json'), headers, seconds, connections: 64 }),
    )
    const one = await inTurn(programs, (name, program) =>
      measure(program, { path: prefixed(name, '/json'), headers, seconds: 2, connections: 1 }),
    )
    const large = await inTurn({ proxy: programs.proxy, hot: programs.hot }, (name, program) =>
      measure(program, { path: prefixed(name, '/large'), headers, seconds, connections: 4 }),
    )
    const alone = await verifyAlone(lab)
    const { upstream: bare, proxy, hot, cold, traceless } = measured
    const beside = (name: string, ours: Measured, theirs: Measured, limit: string): Row[] => [
      {
        name,
        value: ours.perSecond,
        unit: '/s',
        limit: { name: limit, value: theirs.perSecond },
        note: `p50 ${ours.p50Ms.toFixed(1)}, p99 ${ours.p99Ms.toFixed(1)} ms`,
      },
      {
        name: `${name}: CPU of a request`,
        value: ours.cpuMicros,
        unit: 'µs',
        limit: { name: limit, value: theirs.cpuMicros },
      },
    ]
    return [
      ...beside('guarded proxy, token known', hot, proxy, 'bare undici proxy'),
      ...beside('guarded proxy, token verified each time', cold, proxy, 'bare undici proxy'),
      {
        name: 'token that was never seen, in process: CPU',
        value: alone.judged,
        unit: 'µs',
        limit: { name: '`crypto.verify` of its RS256 signature', value: alone.signature },
      },
      ...beside('guarded proxy', hot, bare, 'bare Node server, which answers itself'),
      {
        name: 'guarded proxy with its trace: CPU of a request',
        value: hot.cpuMicros,
        unit: 'µs',
        limit: { name: 'without', value: traceless.cpuMicros },
      },
      {
        name: 'time that the guarded proxy adds, one caller, p50',
        value: one.hot.p50Ms - one.upstream.p50Ms,
        unit: 'ms',
        limit: { name: 'bare undici proxy', value: one.proxy.p50Ms - one.upstream.p50Ms },
        note: `p99 ${(one.hot.p99Ms - one.upstream.p99Ms).toFixed(2)} ms`,
      },
      {
        name: '10 MB stream',
        value: (large.hot.perSecond * LARGE_BYTES) / 1e6,
        unit: 'MB/s',
        limit: {
          name: 'bare undici proxy',
          value: (large.proxy.perSecond * LARGE_BYTES) / 1e6,
        },
      },
    ]
  } finally {
    for (const program of Object.values(programs)) program.stop()
  }
}

function prefixed(name: string, path: string): string {
  return name === 'upstream' || name === 'proxy' ? path : `/api${path}`
}

/** Each of them once per round, so that a machine that changes its speed changes all; the medians. */
async function inTurn<Name extends string>(
  programs: Readonly<Record<Name, Program>>,
  run: (name: Name, program: Program) => Promise<Measured>,
): Promise<Record<Name, Measured>> {
  const names = Object.keys(programs) as Name[]
  const runs = new Map<Name, Measured[]>(names.map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) runs.get(name)!.push(await run(name, programs[name]))
  }
  const median = (name: Name) =>
    runs.get(name)!.sort((a, b) => a.cpuMicros - b.cpuMicros)[Math.floor(ROUNDS / 2)]!
  return Object.fromEntries(names.map((name) => [name, median(name)])) as Record<Name, Measured>
}

async function measure(
  { origin, pid }: Program,
  job: Omit<Parameters<typeof loadApart>[0], 'origin'>,
): Promise<Measured> {
  const before = await cpuSeconds(pid)
  const result = await loadApart({ origin, ...job })
  const used = (await cpuSeconds(pid)) - before
  return { ...result, cpuMicros: (used * 1e6) / result.sent }
}
