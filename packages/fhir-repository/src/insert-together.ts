import { type Change, insertNew } from './apply-changes.ts'
import { shareStatements } from './share-statements.ts'
import type { Queryable } from './statement.ts'

type Waiting = PromiseWithResolvers<void> & { readonly change: Change }

const STATEMENTS = 2
const MOST_AT_ONCE = 50
const MOST_CHARACTERS = 4_000_000

/** Stores a new instance in a transaction of its own or shared; durable when it resolves. */
export type Inserter = (change: Change) => Promise<void>

/**
 * Inserts that are asked for while earlier ones are under way share a statement, and so one commit
 * to the disk. Each still stands or falls alone: when the statement fails over one of its rows, every
 * row is tried again by itself. When the database is in trouble all fail, and nobody knows what of
 * them was stored.
 */
export function createInserter(pool: Queryable): Inserter {
  const ask = shareStatements<Waiting>({
    atOnce: STATEMENTS,
    take: takeBatch,
    async send(batch) {
      try {
        await insertNew(
          pool,
          batch.map(({ change }) => change),
        )
        for (const { resolve } of batch) resolve()
      } catch (error) {
        if (batch.length > 1 && isAboutRow(error)) await Promise.all(batch.map(alone))
        else for (const { reject } of batch) reject(error)
      }
    },
  })

  async function alone({ change, resolve, reject }: Waiting): Promise<void> {
    await insertNew(pool, [change]).then(resolve, reject)
  }

  return (change) => {
    const entry = { change, ...Promise.withResolvers<void>() }
    ask(entry)
    return entry.promise
  }
}

/** The first ones, at least one, up to a number and a size. */
function takeBatch(waiting: Waiting[]): readonly Waiting[] {
  let characters = 0
  let count = 0
  while (count < waiting.length && count < MOST_AT_ONCE) {
    characters += waiting[count]!.change.body.length
    if (count > 0 && characters > MOST_CHARACTERS) break
    count += 1
  }
  return waiting.splice(0, count)
}

/** Data exceptions, violated constraints, limits of a row. @see PostgreSQL, appendix A */
function isAboutRow(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(22|23|54)[0-9A-Z]{3}$/.test(code)
}
