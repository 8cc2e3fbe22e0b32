import {
  type ReadAnswer,
  type ResourceKey,
  SearchRefused,
  type TransactionAnswer,
  type TransactionOperation,
  type TransactionResult,
  type WriteAnswer,
} from '@scopegate/fhir-model'
import { type Change, insertNew, supersede } from './apply-changes.ts'
import { type FoundRow, wholeRow } from './large-bodies.ts'
import { lockRows } from './lock-rows.ts'
import {
  type PlannedWrite,
  planCreate,
  planDelete,
  planUpdate,
  type WriteContext,
} from './plan-write.ts'
import { read } from './read.ts'
import { type Request, startRequest } from './request.ts'
import type { RowNumbers } from './row-numbers.ts'
import { search } from './search.ts'
import type { Queryable } from './statement.ts'
import { answeredWithin, limitStatements } from './time-limit.ts'

export interface TransactionDeps {
  readonly nowMs: number
  readonly newId: () => string
  readonly rowNumbers: RowNumbers
}

type Stored = ReadonlyMap<string, FoundRow>

/** Ends the transaction without a trace in the data. */
export class TransactionStopped extends Error {
  readonly answer: Extract<TransactionAnswer, { kind: 'failed' }>

  constructor(index: number, answer: WriteAnswer | ReadAnswer) {
    super(`operation ${index} stopped the transaction`)
    this.answer = { kind: 'failed', index, answer }
  }
}

/**
 * Runs the operations inside the transaction of `request`, as R4 orders them: deletes, creates,
 * updates, then reads and searches, which see the result. Answers in the order of the operations.
 *
 * @throws {TransactionStopped} for the first operation that is not done; the caller rolls back.
 * @throws {SearchRefused} when what is read is too much for one answer.
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
export async function runOperations(
  request: Request,
  operations: readonly TransactionOperation[],
  deps: TransactionDeps,
): Promise<TransactionResult[]> {
  checkIdentities(operations)
  const newInstances = new Set(operations.flatMap(newInstanceOf))
  const context: WriteContext = { request, nowMs: deps.nowMs, newInstances }
  const stored = await lockRows(request.on, operations.flatMap(keysOf))
  const numbers = await deps.rowNumbers.take(newRows(operations, stored), request.on)
  const answers: (TransactionResult | undefined)[] = operations.map(() => undefined)
  const planned: { readonly index: number; readonly write: PlannedWrite }[] = []

  for (const kind of ['delete', 'create', 'update'] as const) {
    for (const [index, operation] of operations.entries()) {
      if (operation.kind !== kind) continue
      const write = await planOperation(context, operation, stored, numbers, deps)
      if (write.kind === 'settled') answers[index] = doneOrStop(index, write.answer)
      planned.push({ index, write })
    }
  }
  await applyAll(
    request.on,
    planned.map(({ write }) => write),
  )
  const { answerMs } = request.repository.limits
  if (planned.some(asksOthers) || operations.some(isReading)) {
    await limitStatements(request.on, answerMs)
  }
  // What was known of others before the writes may be otherwise now.
  const after = startRequest(request.repository, request.on, request.access)
  await answeredWithin(answerMs, async () => {
    for (const { index, write } of planned) {
      if (write.kind === 'change') answers[index] = doneOrStop(index, await write.answer(after))
    }
    await readAll(after, operations, answers)
  })
  return answers.map((answer) => answer!)
}

/** The reads and searches, in limited time and space. */
async function readAll(
  request: Request,
  operations: readonly TransactionOperation[],
  answers: (TransactionResult | undefined)[],
): Promise<void> {
  const { answerMs, pageCharacters } = request.repository.limits
  const endMs = performance.now() + answerMs
  let room = READ_PAGES * pageCharacters
  for (const [index, operation] of operations.entries()) {
    if (operation.kind === 'read') {
      const answer = await read(request, operation.key)
      if (answer.kind !== 'done') throw new TransactionStopped(index, answer)
      answers[index] = answer
      room -= answer.version.body.length
    } else if (operation.kind === 'search') {
      const found = await search(request, operation.query)
      answers[index] = { kind: 'found', ...found }
      for (const { body } of [...found.matches, ...found.includes]) room -= body.length
    } else {
      continue
    }
    if (room < 0 || performance.now() > endMs) throw tooMuchRead()
  }
}

const isReading = ({ kind }: TransactionOperation) => kind === 'read' || kind === 'search'
const asksOthers = ({ write }: { readonly write: PlannedWrite }) =>
  write.kind === 'change' && write.dependsOnOthers

/** What a transaction reads is held until it ends. */
const READ_PAGES = 2

function tooMuchRead(): SearchRefused {
  return new SearchRefused(
    'too-costly',
    'the reads and searches of the transaction answer too much for one response, or take too long',
    'send them in a batch, or by themselves',
  )
}

async function planOperation(
  context: WriteContext,
  operation: TransactionOperation,
  stored: Stored,
  numbers: number[],
  deps: TransactionDeps,
): Promise<PlannedWrite> {
  switch (operation.kind) {
    case 'create': {
      if (operation.options.ifNoneExist !== undefined) return CONDITIONAL_CREATE
      const id = operation.id ?? deps.newId()
      return planCreate(context, operation.submitted, id, numbers.shift()!)
    }
    case 'update': {
      const row = await storedRow(context, operation.key, stored)
      const sk = row === undefined ? numbers.shift() : undefined
      return planUpdate(context, operation.key, operation.submitted, operation.options, row, sk)
    }
    case 'delete':
      return planDelete(
        context,
        operation.key,
        operation.options,
        await storedRow(context, operation.key, stored),
      )
    default:
      throw new TypeError(`a ${operation.kind} writes nothing`)
  }
}

/** Its body, if large, is in memory no longer than it takes to plan. */
async function storedRow({ request }: WriteContext, key: ResourceKey, stored: Stored) {
  const row = stored.get(textOf(key))
  return row && wholeRow(request.on, row)
}

const CONDITIONAL_CREATE: PlannedWrite = {
  kind: 'settled',
  answer: {
    kind: 'refused',
    checks: [
      {
        name: 'interaction',
        outcome: 'fail',
        code: 'interaction_not_supported',
        got: 'conditional create',
        fix: 'search first, then create without `If-None-Exist`',
      },
    ],
  },
}

function doneOrStop(index: number, answer: WriteAnswer): WriteAnswer {
  if (answer.kind !== 'done') throw new TransactionStopped(index, answer)
  return answer
}

async function applyAll(on: Queryable, writes: readonly PlannedWrite[]): Promise<void> {
  const inserted: Change[] = []
  const superseding: Change[] = []
  for (const write of writes) {
    if (write.kind === 'change') (write.isNew ? inserted : superseding).push(write.change)
  }
  for (const part of chunksOf(inserted)) await insertNew(on, part)
  for (const part of chunksOf(superseding)) await supersede(on, part)
}

const CHUNK = 500

function* chunksOf<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let i = 0; i < list.length; i += CHUNK) yield list.slice(i, i + CHUNK)
}

const textOf = ({ type, id }: ResourceKey): string => `${type}/${id}`

function keysOf(operation: TransactionOperation): ResourceKey[] {
  return operation.kind === 'update' || operation.kind === 'delete' ? [operation.key] : []
}

function newInstanceOf(operation: TransactionOperation): string[] {
  if (operation.kind !== 'create' || operation.id === undefined) return []
  return [`${operation.submitted.resource.resourceType}/${operation.id}`]
}

function newRows(operations: readonly TransactionOperation[], stored: Stored): number {
  return operations.filter(
    (operation) =>
      operation.kind === 'create' ||
      (operation.kind === 'update' && !stored.has(textOf(operation.key))),
  ).length
}

function checkIdentities(operations: readonly TransactionOperation[]): void {
  const seen = new Set<string>()
  for (const [index, operation] of operations.entries()) {
    for (const key of keysOf(operation)) {
      if (seen.has(textOf(key))) {
        throw new TransactionStopped(index, { kind: 'conflict', why: 'several-matches' })
      }
      seen.add(textOf(key))
    }
  }
}
