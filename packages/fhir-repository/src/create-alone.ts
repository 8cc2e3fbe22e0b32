import type { Submitted, WriteAnswer, WriteOptions } from '@scopegate/fhir-model'
import type { Inserter } from './insert-together.ts'
import { planCreate } from './plan-write.ts'
import type { Request } from './request.ts'
import type { Queryable } from './statement.ts'
import type { TransactionDeps } from './transaction.ts'

/**
 * A create that nothing else in the database has a say in: one row of a statement, which is a
 * transaction of its own. `undefined` when it takes a real one.
 * @param request Asks, in limited time; `insert` writes.
 */
export async function createAlone(
  request: Request,
  pool: Queryable,
  insert: Inserter,
  submitted: Submitted,
  options: WriteOptions,
  { nowMs, newId, rowNumbers }: TransactionDeps,
): Promise<WriteAnswer | undefined> {
  if (options.ifNoneExist !== undefined) return undefined
  const [sk] = await rowNumbers.take(1, pool)
  const write = await planCreate({ request, nowMs }, submitted, newId(), sk!)
  if (write.kind === 'settled') return write.answer
  if (write.dependsOnOthers) return undefined
  await insert(write.change)
  return write.answer(request)
}
