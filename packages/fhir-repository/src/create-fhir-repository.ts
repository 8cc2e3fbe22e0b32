import type {
  Access,
  FhirBackend,
  TransactionAnswer,
  TransactionOperation,
  WriteAnswer,
} from '@scopegate/fhir-model'
import type { Storage } from '@scopegate/storage'
import { checkIndexes, type IndexReport, type ReindexStep, reindex } from './check-indexes.ts'
import { countByType } from './count-by-type.ts'
import { createAlone } from './create-alone.ts'
import { history } from './history.ts'
import { type ImportedLine, type ImportOptions, importBatch } from './import-batch.ts'
import { createInserter } from './insert-together.ts'
import { isUniqueViolation } from './is-unique-violation.ts'
import { createKeyEstimate } from './key-estimate.ts'
import { type ParamNumbers, readParamNumbers } from './param-numbers.ts'
import { read, readVersion } from './read.ts'
import { createRowReader } from './read-rows.ts'
import {
  type Mismatch,
  type Repository,
  type RepositoryLimits,
  type Request,
  startRequest,
} from './request.ts'
import { createRowNumbers } from './row-numbers.ts'
import { search } from './search.ts'
import { answeredWithin } from './time-limit.ts'
import { runOperations, TransactionStopped } from './transaction.ts'

export interface FhirRepositoryDeps {
  readonly storage: Storage
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A fresh resource id, unguessable and never given twice. */
  readonly newId: () => string
  /** Our own base URL, without a final slash: absolute references below it are local. */
  readonly baseUrl?: string
  readonly limits?: Partial<RepositoryLimits>
  /** SQL offered a row as fitting that the matcher turned down; for metrics and the log. */
  readonly onMismatch?: (mismatch: Mismatch) => void
}

/** A FHIR store in PostgreSQL. What is not part of `FhirBackend` is for the operator: no Access. */
export interface FhirRepository extends FhirBackend {
  /** Stores lines of NDJSON with their ids; see `importBatch`. */
  importBatch(lines: readonly string[], options?: ImportOptions): Promise<readonly ImportedLine[]>
  /** How many current resources there are of each type. */
  countByType(): Promise<ReadonlyMap<string, number>>
  /** Compares what every resource is found by with what it holds. */
  checkIndexes(): Promise<IndexReport>
  /** Makes the index anew where it differs: after new definitions, or another base URL. */
  reindex(start?: { readonly after?: number }): AsyncIterable<ReindexStep>
  /** Tells the planner what a large import brought. */
  refreshStatistics(): Promise<void>
}

const LIMITS: RepositoryLimits = {
  joined: 1000,
  looked: 50_000,
  included: 1000,
  pageCharacters: 32 * 1024 * 1024,
  answerMs: 10_000,
}
const ATTEMPTS = 5

export function createFhirRepository(deps: FhirRepositoryDeps): FhirRepository {
  const { storage, now, newId, baseUrl: base } = deps
  const { pool } = storage
  const estimate = createKeyEstimate(pool, now)
  const rowNumbers = createRowNumbers()
  const insert = createInserter(pool)
  const common = {
    base,
    estimate,
    onMismatch: deps.onMismatch ?? (() => {}),
    limits: { ...LIMITS, ...deps.limits },
  }
  let params: Promise<ParamNumbers> | undefined
  const repository = async (): Promise<Repository> => {
    params ??= readParamNumbers(pool)
    try {
      return { ...common, params: await params }
    } catch (error) {
      params = undefined
      throw error
    }
  }
  const readRow = createRowReader(pool)
  /** One request that only reads, within the time it may take. */
  const reading = async <T>(access: Access, work: (request: Request) => Promise<T>): Promise<T> => {
    const shared = await repository()
    const { answerMs } = shared.limits
    return answeredWithin(answerMs, () =>
      work(startRequest(shared, storage.within(answerMs), access, readRow)),
    )
  }

  const transaction = async (
    operations: readonly TransactionOperation[],
    access: Access,
  ): Promise<TransactionAnswer> => {
    const shared = await repository()
    for (let attempt = 1; ; attempt++) {
      try {
        const answers = await storage.transaction((client) =>
          runOperations(startRequest(shared, client, access), operations, {
            nowMs: now(),
            newId,
            rowNumbers,
          }),
        )
        return { kind: 'done', answers }
      } catch (error) {
        if (error instanceof TransactionStopped) return error.answer
        // Two writers made the same id: the loser looks again and finds a row to update.
        if (!isUniqueViolation(error) || attempt >= ATTEMPTS) throw error
      }
    }
  }

  const single = async (operation: TransactionOperation, access: Access): Promise<WriteAnswer> => {
    const answer = await transaction([operation], access)
    return (answer.kind === 'done' ? answer.answers[0] : answer.answer) as WriteAnswer
  }

  return {
    read: (key, access) => reading(access, (request) => read(request, key)),
    readVersion: (key, versionId, access) =>
      reading(access, (request) => readVersion(request, key, versionId)),
    history: (key, query, access) => reading(access, (request) => history(request, key, query)),
    search: (query, access) => reading(access, (request) => search(request, query)),
    create: async (submitted, access, options) =>
      (await reading(access, (request) =>
        createAlone(request, pool, insert, submitted, options, {
          nowMs: now(),
          newId,
          rowNumbers,
        }),
      )) ?? single({ kind: 'create', submitted, options }, access),
    update: (key, submitted, access, options) =>
      single({ kind: 'update', key, submitted, options }, access),
    delete: (key, access, options) => single({ kind: 'delete', key, options }, access),
    transaction,
    importBatch: async (lines, options) =>
      importBatch({ storage, repository: await repository(), rowNumbers, now }, lines, options),
    countByType: () => countByType(pool),
    checkIndexes: async () => checkIndexes(pool, await repository()),
    reindex: async function* (start) {
      yield* reindex(storage, await repository(), start)
    },
    refreshStatistics: async () => {
      await pool.query('analyze res, ix_date, ix_str, ix_num')
      await estimate.refresh()
    },
  }
}
