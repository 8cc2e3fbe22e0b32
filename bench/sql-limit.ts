import type pg from 'pg'

/** How often the database answers the statement at 16 callers, with nothing of ours around it. */
export async function sqlPerSecond(
  pool: pg.Pool,
  seconds: number,
  statement: (index: number) => pg.QueryConfig,
): Promise<number> {
  let count = 0
  const startedMs = performance.now()
  const endMs = startedMs + seconds * 1000
  const caller = async () => {
    while (performance.now() < endMs) await pool.query(statement(count++))
  }
  await Promise.all(Array.from({ length: 16 }, caller))
  return count / ((performance.now() - startedMs) / 1000)
}
