import { loadApart, withBareServer } from './apart.ts'
import type { BenchContext } from './context.ts'
import { paired } from './paired.ts'
import type { Row } from './row.ts'

/** A guarded page of 50, of one patient and of everybody, beside a bare server with the same bytes. */
export async function searchScenarios(context: BenchContext): Promise<readonly Row[]> {
  const base = new URL(context.fhir).pathname
  return [
    ...(await page(
      context,
      'patient page of 50',
      `${base}/Observation?patient=Patient/patient-1&category=laboratory&_count=50&_total=none`,
    )),
    ...(await page(
      context,
      'category page of 50',
      `${base}/Observation?category=laboratory&_count=50&_total=none`,
    )),
  ]
}

async function page(context: BenchContext, name: string, path: string): Promise<readonly Row[]> {
  const { server, seconds } = context
  const bearer = async (scope: string) => ({
    authorization: `Bearer ${await context.token(scope)}`,
  })
  const plain = await bearer('system/Observation.rs')
  const granular = await bearer('system/Observation.rs?category=laboratory')

  const answer = await fetch(server.url + path, { headers: granular })
  const bare = await withBareServer(answer, (origin) =>
    loadApart({ origin, path, headers: granular, seconds }),
  )
  const job = { origin: server.url, path, seconds }
  // Both queries ask for the category themselves, so both tokens get the same entries: the
  // difference is what the scope costs.
  const { a: constrained, b: unconstrained } = await paired(
    { ...job, headers: granular },
    { ...job, headers: plain },
  )
  return [
    {
      name: `guarded ${name}, granular scope`,
      value: constrained.perSecond,
      unit: '/s',
      limit: { name: 'bare Node server', value: bare.perSecond },
      note: `p95 ${constrained.p95Ms.toFixed(1)} ms, ${Math.round(constrained.bytesPerAnswer / 1024)} KiB each`,
    },
    {
      name: `guarded ${name}, granular scope`,
      value: constrained.perSecond,
      unit: '/s',
      limit: { name: 'unconstrained token', value: unconstrained.perSecond },
    },
  ]
}
