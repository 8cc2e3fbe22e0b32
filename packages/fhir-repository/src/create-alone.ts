import type { Submitted, WriteAnswer, WriteOptions } from '@scopegate/fhir-model'
import { insertNew } from './apply-changes.ts'
import { planCreate } from './plan-write.ts'
import type { Request } from './request.ts'
import type { TransactionDeps } from './transaction.ts'

/**
 * A create that nothing else in the database has a say in: one statement, which is a transaction of
 * its own. `undefined` when it takes a real one.
 */
export async function createAlone(
  request: Request,
  submitted: Submitted,
  options: WriteOptions,
  { nowMs, newId, rowNumbers }: TransactionDeps,
): Promise<WriteAnswer | undefined> {
  if (options.ifNoneExist !== undefined) return undefined
  const [sk] = await rowNumbers.take(1, request.on)
  const write = await planCreate({ request, nowMs }, submitted, newId(), sk!)
  if (write.kind === 'settled') return write.answer
  if (write.dependsOnOthers) return undefined
  await insertNew(request.on, [write.change])
  return write.answer()
}
