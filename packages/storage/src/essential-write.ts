import type pg from 'pg'

/** What a write needs of a connection or a client. */
type Queryable = Pick<pg.ClientBase, 'query'>

const READ_ONLY = '25006'

/**
 * Runs `write`, one statement that reading cannot do without: the audit entry of an access, the mark
 * on a used assertion. While the disk is nearly full other writes are refused; this one may use the
 * space that was kept. `client` must be one connection, in no transaction.
 */
export async function essentialWrite<Result>(
  client: Queryable,
  write: (client: Queryable) => Promise<Result>,
): Promise<Result> {
  try {
    return await write(client)
  } catch (error) {
    if ((error as { code?: unknown }).code !== READ_ONLY) throw error
  }
  await client.query('BEGIN READ WRITE')
  try {
    const result = await write(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}
