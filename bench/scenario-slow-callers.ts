import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { loadApart } from './apart.ts'
import { type Program, startProgram } from './gateway-program.ts'
import type { Row } from './row.ts'
import type { SlowCallers } from './slow-callers-process.ts'

const SLOW = 2000
const ROUNDS = 3

/**
 * S15: what callers who take their time cost those of another API. Both in turn, the medians. The
 * connections to its own upstream are what an API lends to whoever may call it, slow ones too.
 */
export async function slowCallersScenario(seconds: number): Promise<readonly Row[]> {
  const lab = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('RS256')] })
  const upstream = await startProgram({ what: 'upstream' })
  const guard = { issuer: lab.issuer, keySet: lab.keySet, upstream: upstream.origin }
  const gateway = await startProgram({ what: 'gateway', ...guard })
  const audience = ['http://gateway.example/api', 'http://gateway.example/slow']
  const token = lab.mintToken({ audience, scope: 'api read', expiresInSeconds: 3600 })
  const headers = { authorization: `Bearer ${token}` }
  const usual = () =>
    loadApart({ origin: gateway.origin, path: '/api/json', headers, seconds, connections: 16 })
  try {
    const alone: number[] = []
    const beside: number[] = []
    let cutOff = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      alone.push((await usual()).p99Ms)
      const slow = await startSlowCallers(gateway, token)
      // Past the limit for headers: callers are cut off and come again all the while.
      await new Promise((resolve) => setTimeout(resolve, 11_000))
      beside.push((await usual()).p99Ms)
      cutOff += await slow.stop()
    }
    return [
      {
        name: `p99 of the guarded proxy beside ${SLOW} slow callers`,
        value: median(beside),
        unit: 'ms',
        limit: { name: 'without them', value: median(alone) },
        note: `${cutOff} were cut off and came again`,
      },
    ]
  } finally {
    for (const program of [gateway, upstream]) program.stop()
  }
}

function median(list: number[]): number {
  return list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!
}

async function startSlowCallers({ origin }: Program, token: string) {
  const script = fileURLToPath(new URL('slow-callers-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const port = Number(new URL(origin).port)
  const job: SlowCallers = { port, count: SLOW, path: '/slow/upload', token }
  child.stdin.write(JSON.stringify(job))
  await once(child.stdout, 'data')
  return {
    /** @returns how many were cut off */
    async stop(): Promise<number> {
      child.stdin.end()
      return Number(await text(child.stdout))
    },
  }
}
