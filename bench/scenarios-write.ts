import { loadApart } from './apart.ts'
import type { BenchContext } from './context.ts'
import type { Row } from './row.ts'
import { sqlPerSecond } from './sql-limit.ts'

const OBSERVATION = JSON.stringify({
  resourceType: 'Observation',
  status: 'final',
  category: [
    {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/observation-category',
          code: 'laboratory',
        },
      ],
    },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
  subject: { reference: 'Patient/patient-1' },
  effectiveDateTime: '2026-01-01T08:00:00Z',
  valueQuantity: { value: 98.6, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' },
})

/** Creates per second, beside single durable inserts of the same text. */
export async function writeScenarios(context: BenchContext): Promise<readonly Row[]> {
  const { server, fhir, pool, seconds } = context
  const token = await context.token('system/Observation.crus')
  const creates = await loadApart({
    origin: server.url,
    path: `${new URL(fhir).pathname}/Observation`,
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/fhir+json',
      prefer: 'return=minimal',
    },
    bodies: [OBSERVATION],
    seconds,
  })
  await pool.query('create table if not exists bench_insert(id bigserial primary key, body text)')
  const inserts = await sqlPerSecond(pool, seconds, () => ({
    name: 'bench-insert',
    text: 'insert into bench_insert(body) values ($1)',
    values: [OBSERVATION],
  }))
  await pool.query('drop table bench_insert')
  return [
    {
      name: 'creates',
      value: creates.perSecond,
      unit: '/s',
      limit: { name: 'single durable inserts of the same text', value: inserts },
      note: `p95 ${creates.p95Ms.toFixed(1)} ms`,
    },
  ]
}
