import { SearchRefused } from '@scopegate/fhir-model'
import { storageProblem } from '@scopegate/storage'
import { type Queryable, run } from './statement.ts'

/**
 * What `work` answers, unless its statements ran longer than `limitMs` allows.
 * @throws {SearchRefused} `too-costly`, then
 */
export async function answeredWithin<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (storageProblem(error) !== 'timeout') throw error
    throw new SearchRefused(
      'too-costly',
      `the answer takes longer than the ${limitMs / 1000} s that one request may take`,
      'narrow it: by a code, a date or a patient, with fewer joins and includes, or without `_total`',
    )
  }
}

/** From now on no statement of the transaction of `on` runs longer. */
export async function limitStatements(on: Queryable, limitMs: number): Promise<void> {
  await run(on, "select set_config('statement_timeout', $1, true)", [String(limitMs)])
}
