import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Row } from './row.ts'
import { startServer } from './server-process.ts'

/** From the command to ready: in an empty folder, and again over the same data. */
export async function startScenarios(folder: string): Promise<readonly Row[]> {
  const home = join(folder, 'start')
  await mkdir(home)
  const rows: Row[] = []
  for (const name of ['first start', 'second start']) {
    const server = await startServer(home, '')
    rows.push({
      name,
      value: server.startMs / 1000,
      unit: 's',
      note: 'to ready, embedded database',
    })
    rows.push({ name: `memory after ${name}`, value: await server.residentMb(), unit: 'MB' })
    await server.stop()
  }
  return rows
}
