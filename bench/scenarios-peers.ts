import { createPublicKey } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLabIssuer, createLabKey, publicJwk } from '@scopegate/lab'
import { loadApart } from './apart.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import { type Program, startProgram } from './gateway-program.ts'
import type { LoadResult } from './load.ts'
import { missingFor, PEER_SCOPE, PEERS, type Peer, type PeerProgram } from './peers/index.ts'
import type { Row } from './row.ts'

const AUDIENCE = 'http://gateway.example/api'
const ROUNDS = 3

interface Measured extends LoadResult {
  readonly cpuMicros: number
}

/**
 * The gateway beside what Debian has for the same work, with one token, one upstream and one process
 * each. Peers that are not installed are named and left out; what a peer lets in and refuses is looked
 * at before it is measured.
 */
export async function peerScenarios(seconds: number): Promise<readonly Row[]> {
  const key = createLabKey('RS256')
  const lab = createLabIssuer({ issuer: 'https://idp.example', keys: [key] })
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-peers-'))
  await chmod(folder, 0o755)
  const publicKeyFile = join(folder, 'key.pem')
  const publicKey = createPublicKey({ key: publicJwk(key) as never, format: 'jwk' })
  await writeFile(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }))
  const mint = (scope: string) =>
    lab.mintToken({ audience: AUDIENCE, scope, expiresInSeconds: 3600 })
  const good = mint(`api ${PEER_SCOPE}`)
  const wrong = {
    none: undefined,
    'a forged signature': lab.wrong.forged({ audience: AUDIENCE, scope: `api ${PEER_SCOPE}` }),
    unsigned: lab.wrong.unsigned({ audience: AUDIENCE, scope: `api ${PEER_SCOPE}` }),
    expired: lab.wrong.expired({ audience: AUDIENCE, scope: `api ${PEER_SCOPE}` }),
    'another audience': lab.mintToken({
      audience: 'https://else.example',
      scope: `api ${PEER_SCOPE}`,
    }),
    'another scope': mint('api'),
  }
  const upstream = await startProgram({ what: 'upstream' })
  const guard = { issuer: lab.issuer, keySet: lab.keySet, upstream: upstream.origin }
  const started: (Program | PeerProgram)[] = [upstream]
  try {
    const ours = {
      known: await startProgram({ what: 'gateway', ...guard }),
      verified: await startProgram({ what: 'gateway', ...guard, cache: 'cold' }),
    }
    started.push(...Object.values(ours))
    const theirs = new Map<Peer, PeerProgram>()
    for (const peer of PEERS) {
      const missing = missingFor(peer)
      if (missing.length > 0) {
        console.error(`  skipped ${peer.name}: apt-get install ${missing.join(' ')}`)
        continue
      }
      const job = { folder, ...guard, audience: AUDIENCE, kid: key.kid, publicKeyFile }
      const program = await peer.start(job)
      theirs.set(peer, program)
      started.push(program)
      await look(peer, program, good, wrong)
    }
    const measured: [name: string, program: Program, path: string][] = [
      ...Object.entries(ours).map(
        ([name, one]) => [name, one, '/api/json'] as [string, Program, string],
      ),
      ...[...theirs].map(([{ name }, one]) => [name, one, '/json'] as [string, Program, string]),
    ]
    const results = new Map<Program, Measured[]>(measured.map(([, program]) => [program, []]))
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, program, path] of measured) {
        const job = { path, seconds, connections: 64, headers: authorized(good) }
        const one = await measure(program, job).catch((cause: unknown) => {
          throw new Error(`${name} could not be measured`, { cause })
        })
        results.get(program)!.push(one)
      }
    }
    const median = (program: Program) =>
      results.get(program)!.sort((a, b) => a.cpuMicros - b.cpuMicros)[Math.floor(ROUNDS / 2)]!
    return [...theirs].flatMap(([peer, program]) => [
      ...(peer.verifies === 'never'
        ? []
        : beside('token verified each time', median(ours.verified), peer, median(program))),
      ...beside('token known', median(ours.known), peer, median(program)),
    ])
  } finally {
    for (const program of started) program.stop()
    await Promise.all(started.map((program) => ('ended' in program ? program.ended : undefined)))
    await rm(folder, { recursive: true, force: true })
  }
}

function beside(what: string, ours: Measured, peer: Peer, theirs: Measured): Row[] {
  return [
    {
      name: `guarded proxy, ${what}`,
      value: ours.perSecond,
      unit: '/s',
      limit: { name: peer.name, value: theirs.perSecond },
      note: `p99 ${ours.p99Ms.toFixed(1)} ms, theirs ${theirs.p99Ms.toFixed(1)} ms`,
    },
    {
      name: `guarded proxy, ${what}: CPU of a request`,
      value: ours.cpuMicros,
      unit: 'µs',
      limit: { name: peer.name, value: theirs.cpuMicros },
    },
  ]
}

const authorized = (token: string) => ({
  authorization: `Bearer ${token}`,
  accept: 'application/json',
})

/** A peer that lets everything in would be quick. @throws when it does not do the work */
async function look(
  peer: Peer,
  { origin }: Program,
  good: string,
  wrong: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const ask = async (token: string | undefined) => {
    const answer = await fetch(`${origin}/json`, { headers: token ? authorized(token) : {} })
    await answer.arrayBuffer()
    return answer.status
  }
  const status = await ask(good)
  if (status !== 200) throw new Error(`${peer.name} answers ${status} to a good token`)
  if (peer.verifies === 'never') return
  for (const [what, token] of Object.entries(wrong)) {
    const refused = await ask(token)
    if (refused !== 401 && refused !== 403) {
      throw new Error(`${peer.name} answers ${refused} to a token that is wrong: ${what}`)
    }
  }
  console.error(`  ${peer.name}: takes the good token, refuses ${Object.keys(wrong).join(', ')}`)
}

async function measure(
  { origin, pid }: Program,
  job: Omit<Parameters<typeof loadApart>[0], 'origin'>,
): Promise<Measured> {
  const before = await cpuSeconds(pid, /./)
  const result = await loadApart({ origin, ...job })
  const used = (await cpuSeconds(pid, /./)) - before
  return { ...result, cpuMicros: (used * 1e6) / result.sent }
}
