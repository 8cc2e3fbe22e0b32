/**
 * The program that crash.test.ts kills: writes numbers as fast as it can over several connections,
 * prints each one whose commit was acknowledged, and goes on when the database was away.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openStorage, storageProblem } from '@scopegate/storage'

const [dir = '', round = '0'] = process.argv.slice(2)
const storage = await openStorage({ dir }, { serverUrl: 'http://127.0.0.1:1', migrations: [] })
await storage.pool.query('CREATE TABLE IF NOT EXISTS written (round int, n int, filler text)')
process.stdout.write('ready\n')

let next = 0
await Promise.all(Array.from({ length: 6 }, write))

async function write(): Promise<never> {
  for (;;) {
    const n = next++
    try {
      await storage.transaction(async (client) => {
        await client.query('INSERT INTO written VALUES ($1, $2, $3)', [round, n, 'x'.repeat(500)])
      })
      process.stdout.write(`${n}\n`)
    } catch (error) {
      if (storageProblem(error) !== 'unavailable') throw error
      process.stdout.write('away\n')
      await sleep(20)
    }
  }
}
