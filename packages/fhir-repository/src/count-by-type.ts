import type { Pool } from 'pg'

/** How many current resources there are of each type, by the index on (type, sk). */
export async function countByType(pool: Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ type: string; count: number }>(
    'select type, count(*) as count from res where not deleted group by type order by type',
  )
  return new Map(rows.map(({ type, count }) => [type, count]))
}
