import { createReadStream, openAsBlob } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sampleResources } from '@scopegate/lab'
import { from as copyFrom } from 'pg-copy-streams'
import type { BenchContext } from './context.ts'
import type { Row } from './row.ts'

/** A thousand patients over the admin API, beside COPY of the same lines into a bare table. */
export async function importScenario(
  context: BenchContext,
  folder: string,
): Promise<readonly Row[]> {
  const lines = Array.from(sampleResources({ patients: 1000 }), (resource) =>
    JSON.stringify(resource),
  )
  const file = join(folder, 'import.ndjson')
  await writeFile(file, `${lines.join('\n')}\n`)

  const admin = `${context.server.url}/admin/api`
  const token = await context.token('admin/import.write', admin)
  const startedMs = performance.now()
  const answer = await fetch(`${admin}/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+ndjson' },
    body: await openAsBlob(file),
  })
  const report = await answer.text()
  if (!answer.ok) throw new Error(`import answered ${answer.status}: ${report.slice(0, 500)}`)
  const importSeconds = (performance.now() - startedMs) / 1000

  return [
    {
      name: 'import',
      value: lines.length / importSeconds,
      unit: 'resources/s',
      limit: {
        name: 'COPY of the same lines',
        value: lines.length / (await copySeconds(context, file)),
      },
      note: `${lines.length.toLocaleString('en-US')} resources, validated and indexed`,
    },
  ]
}

async function copySeconds({ pool }: BenchContext, file: string): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('create table bench_copy(body text)')
    const startedMs = performance.now()
    const copy = client.query(
      copyFrom(`copy bench_copy from stdin with (format csv, delimiter e'\\x01', quote e'\\x02')`),
    )
    await pipeline(createReadStream(file), copy)
    const seconds = (performance.now() - startedMs) / 1000
    await client.query('drop table bench_copy')
    return seconds
  } finally {
    client.release()
  }
}
