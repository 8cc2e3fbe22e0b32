import { argon2Sync, randomBytes } from 'node:crypto'
import { OWASP_PARAMETERS } from '@scopegate/identity'
import { loadApart, runApart, withBareServer } from './apart.ts'
import type { BenchContext } from './context.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import type { LaunchJob, LaunchResult } from './launch-process.ts'
import type { Row } from './row.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const SCOPE =
  'openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs patient/Condition.rs'
const PEOPLE = 8

/** Launches with people in them, and what apps ask afterwards; with CPU of the server for each. */
export async function launchScenarios(context: BenchContext): Promise<readonly Row[]> {
  const { server, seconds } = context
  const people = await addPeople(context)
  const play = async (what: LaunchJob['what'], connections = PEOPLE) => {
    const job: LaunchJob = {
      ...{ what, seconds, connections, people, serverPid: server.pid },
      url: server.url,
      fhirUrl: context.fhir,
      ...context.app,
      scope: SCOPE,
    }
    return runApart<LaunchResult>('launch-process.ts', job)
  }
  const hashes = { name: 'password hashes of one core', value: hashesPerSecond() }
  const rows: Row[] = [rowOf('launch, with password', await play('sign-in'), hashes)]
  rows.push(rowOf('launch, signed in already', await play('session')))

  const exchanged = await play('exchange')
  const refreshed = await play('refresh')
  const answer = { access_token: randomBytes(600).toString('base64url'), scope: SCOPE }
  const limit = await withBareServer(Response.json(answer), (origin) =>
    loadApart({
      origin,
      path: '/',
      method: 'POST',
      headers: FORM,
      bodies: ['x=1'],
      seconds,
      connections: PEOPLE,
    }),
  )
  const bare = { name: 'bare Node server', value: limit.perSecond }
  rows.push(rowOf('code exchange (RS256 ID token, refresh token)', exchanged, bare))
  rows.push(rowOf('refresh, rotated', refreshed, bare))

  const token = await context.token('system/Observation.rs?category=laboratory')
  const body = new URLSearchParams({
    token,
    client_id: context.clientId,
    client_secret: context.clientSecret,
  }).toString()
  const cpuBefore = await cpuSeconds(server.pid)
  const introspected = await loadApart({
    origin: server.url,
    path: '/oauth/introspect',
    method: 'POST',
    headers: FORM,
    bodies: [body],
    seconds,
  })
  const cpu = (await cpuSeconds(server.pid)) - cpuBefore
  rows.push({
    name: 'introspection',
    value: introspected.perSecond,
    unit: '/s',
    limit: bare,
    note: `p95 ${introspected.p95Ms.toFixed(1)} ms, ${cpuNote((cpu / introspected.sent) * 1000)}`,
  })
  return rows

  function rowOf(name: string, result: LaunchResult, limit?: Row['limit']): Row {
    const value = result.count / result.seconds
    return {
      ...{ name, value, unit: '/s' },
      ...(limit && { limit }),
      note: `p50 ${result.p50Ms.toFixed(0)} ms, p95 ${result.p95Ms.toFixed(0)} ms, ${cpuNote(result.cpuMs)}`,
    }
  }
}

function cpuNote(ms: number): string {
  return `${ms.toFixed(2)} ms CPU each`
}

/** What argon2id alone allows. */
function hashesPerSecond(): number {
  const { memoryKib, passes, parallelism } = OWASP_PARAMETERS
  const count = 20
  const startedMs = performance.now()
  for (let i = 0; i < count; i++) {
    argon2Sync('argon2id', {
      ...{ memory: memoryKib, passes, parallelism },
      message: randomBytes(16),
      nonce: randomBytes(16),
      tagLength: 32,
    })
  }
  return (count * 1000) / (performance.now() - startedMs)
}

/** Practitioners, each with a password of its own. */
async function addPeople({ server, token }: BenchContext): Promise<LaunchJob['people']> {
  const admin = `${server.url}/admin/api`
  const authorization = `Bearer ${await token('admin/users.write', admin)}`
  return Promise.all(
    Array.from({ length: PEOPLE }, async (_, index) => {
      const person = { username: `bench-${index}`, password: randomBytes(12).toString('base64url') }
      const answer = await fetch(`${admin}/users`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ ...person, fhir_user: `Practitioner/bench-${index}` }),
      })
      if (!answer.ok) throw new Error(`no user: ${await answer.text()}`)
      return person
    }),
  )
}
