import { loadApart, withBareServer } from './apart.ts'
import type { BenchContext } from './context.ts'
import { paired } from './paired.ts'
import type { Row } from './row.ts'
import { sqlPerSecond } from './sql-limit.ts'

/** Guarded reads by id, and what a granular scope adds to an unconstrained one. */
export async function readScenarios(context: BenchContext): Promise<readonly Row[]> {
  const { server, fhir, pool, seconds } = context
  const { rows } = await pool.query<{ id: string }>(
    `select id from res where type = 'Observation' and not deleted and body like '%"laboratory"%' order by sk limit 2000`,
  )
  const ids = rows.map(({ id }) => id)
  const paths = ids.map((id) => `${new URL(fhir).pathname}/Observation/${id}`)
  const plain = { authorization: `Bearer ${await context.token('system/Observation.rs')}` }
  const granular = {
    authorization: `Bearer ${await context.token('system/Observation.rs?category=laboratory')}`,
  }

  const answer = await fetch(server.url + paths[0], { headers: plain })
  const bare = await withBareServer(answer, (origin) =>
    loadApart({ origin, path: paths[0]!, paths, headers: plain, seconds }),
  )
  const job = { origin: server.url, path: paths[0]!, paths, seconds }
  const { a: constrained, b: unconstrained } = await paired(
    { ...job, headers: granular },
    { ...job, headers: plain },
  )
  const sql = await sqlPerSecond(pool, seconds, (index) => ({
    name: 'bench-read',
    text: `select body from res where type = 'Observation' and id = $1`,
    values: [ids[index % ids.length]],
  }))

  return [
    {
      name: 'guarded read',
      value: unconstrained.perSecond,
      unit: '/s',
      limit: { name: 'bare Node server', value: bare.perSecond },
      note: `p95 ${unconstrained.p95Ms.toFixed(1)} ms`,
    },
    {
      name: 'guarded read',
      value: unconstrained.perSecond,
      unit: '/s',
      limit: { name: 'the same SQL without us', value: sql },
    },
    {
      name: 'read under a granular scope',
      value: constrained.perSecond,
      unit: '/s',
      limit: { name: 'unconstrained token', value: unconstrained.perSecond },
      note: `p95 ${constrained.p95Ms.toFixed(1)} ms`,
    },
  ]
}
