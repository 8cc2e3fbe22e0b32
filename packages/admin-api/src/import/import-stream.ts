import type { ImportItem, ImportResult, ResourceImporter } from '../ports.ts'
import { expandBundle, looksLikeBundle } from './expand-bundle.ts'
import type { ImportEvent, ImportRefusal, ImportReport, TypeCounts } from './import-event.ts'
import { readLines } from './read-lines.ts'

/** A line may hold a whole Bundle. */
const LINE_LIMIT_BYTES = 256 * 1024 * 1024
const BATCH_ITEMS = 500
const BATCH_CHARACTERS = 4 * 1024 * 1024
/** One is stored while the next is judged. */
const BATCHES_UNDER_WAY = 2
const PROGRESS_EVERY_MS = 500

/**
 * Imports a stream of NDJSON in batches and says what happens as NDJSON. A refused line does not
 * stop the rest; if the import itself breaks off (database gone, disk full), the last event says
 * so and everything before it is kept.
 */
export function importStream(
  body: ReadableStream<Uint8Array>,
  importer: ResourceImporter,
  nowMs: () => number,
): { readonly stream: ReadableStream<Uint8Array>; readonly report: Promise<ImportReport> } {
  const settled = Promise.withResolvers<ImportReport>()
  const encoder = new TextEncoder()
  const events = importEvents(body, importer, nowMs)
  let last: ImportReport | undefined
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await events.next()
      if (done) {
        settled.resolve(last ?? emptyReport())
        controller.close()
        return
      }
      if (value.kind === 'report') last = value
      controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
    },
    async cancel() {
      await events.return(undefined)
      settled.resolve(last ?? emptyReport())
    },
  })
  return { stream, report: settled.promise }
}

interface Batch {
  readonly items: readonly ImportItem[]
  readonly instances: ReadonlySet<string>
  readonly results: Promise<readonly ImportResult[]>
}

async function* importEvents(
  body: ReadableStream<Uint8Array>,
  importer: ResourceImporter,
  nowMs: () => number,
): AsyncGenerator<ImportEvent, void> {
  const startedMs = nowMs()
  const tally = new Tally()
  const underWay: Batch[] = []
  let batch: ImportItem[] = []
  let instances = new Set<string>()
  let characters = 0
  let toldMs = startedMs

  /** Hands the batch on; waits for older ones, in their order, until at most `most` are under way. */
  async function* flush(most: number): AsyncGenerator<ImportEvent, void> {
    if (batch.length > 0) {
      const results = importer.importBatch(batch)
      // Awaited below; until then a failure must not count as unhandled.
      results.catch(() => undefined)
      underWay.push({ items: batch, instances, results })
      batch = []
      instances = new Set()
      characters = 0
    }
    while (underWay.length > most) {
      const { items, results } = underWay.shift()!
      const settled = await results
      for (const [index, item] of items.entries()) {
        const refusal = tally.count(item, settled[index])
        if (refusal) yield refusal
      }
      if (nowMs() - toldMs < PROGRESS_EVERY_MS) continue
      toldMs = nowMs()
      yield { kind: 'progress', lines: tally.lines, read: tally.read }
    }
  }

  try {
    for await (const line of readLines(body, LINE_LIMIT_BYTES)) {
      tally.lines += 1
      if ('problem' in line) {
        yield tally.refuse({ line: line.number }, LINE_PROBLEMS[line.problem])
        continue
      }
      for (const item of itemsOf(line.number, line.text)) {
        if ('why' in item) {
          yield tally.refuse(item, item.why, item.type)
          continue
        }
        const instance = instanceOf(item.text)
        // The same instance again: what comes later in the file must also be stored later.
        if (underWay.some(({ instances }) => instances.has(instance))) yield* flush(0)
        instances.add(instance)
        batch.push(item)
        characters += item.text.length
        if (batch.length >= BATCH_ITEMS || characters >= BATCH_CHARACTERS) {
          yield* flush(BATCHES_UNDER_WAY - 1)
        }
      }
    }
    yield* flush(0)
    yield tally.report((nowMs() - startedMs) / 1000)
  } catch (error) {
    await Promise.allSettled(underWay.map(({ results }) => results))
    yield {
      kind: 'failed',
      lines: tally.lines,
      why: error instanceof Error ? error.message : 'unknown',
      fix: 'put the cause right and import the same again: what is in already is left as it is',
    }
    yield tally.report((nowMs() - startedMs) / 1000)
  }
}

const LINE_PROBLEMS = {
  'too-long': `the line is longer than ${LINE_LIMIT_BYTES / 1024 / 1024} MB`,
  'not-utf-8': 'the line is not UTF-8',
}

type Refused = {
  readonly line: number
  readonly entry?: number
  readonly type?: string
  readonly why: string
}

function itemsOf(line: number, text: string): Iterable<ImportItem | Refused> {
  if (!looksLikeBundle(text)) return [{ line, text }]
  const bundle = expandBundle(text)
  if (!bundle.ok) return [{ line, type: 'Bundle', why: bundle.why }]
  return bundle.entries.map((entry, index) =>
    'why' in entry ? { line, entry: index, ...entry } : { line, entry: index, text: entry.text },
  )
}

/** `Type/id`; text that cannot be read is told from others by itself. */
function instanceOf(text: string): string {
  try {
    const { resourceType, id } = JSON.parse(text)
    return `${resourceType}/${id}`
  } catch {
    return text
  }
}

/** Counts per type. */
class Tally {
  lines = 0
  read = 0
  readonly #types = new Map<string, { in: number; unchanged: number; refused: number }>()

  count(item: ImportItem, result: ImportResult | undefined): ImportRefusal | undefined {
    if (!result) return this.refuse(item, 'the store gave no answer')
    if (result.outcome === 'refused') {
      return this.refuse(item, result.why ?? 'no reason given', result.type, result.id)
    }
    this.read += 1
    this.#of(result.type)[result.outcome] += 1
    return undefined
  }

  refuse(
    at: { readonly line: number; readonly entry?: number },
    why: string,
    type?: string,
    id?: string,
  ): ImportRefusal {
    this.read += 1
    this.#of(type).refused += 1
    return {
      kind: 'refused',
      line: at.line,
      ...(at.entry !== undefined && { entry: at.entry }),
      ...(type !== undefined && { type }),
      ...(id !== undefined && { id }),
      why,
    }
  }

  report(seconds: number): ImportReport {
    const types: Record<string, TypeCounts> = Object.fromEntries(
      [...this.#types].sort(([a], [b]) => (a < b ? -1 : 1)),
    )
    const total = (name: keyof TypeCounts) =>
      Object.values(types).reduce((sum, counts) => sum + counts[name], 0)
    return {
      kind: 'report',
      lines: this.lines,
      read: this.read,
      in: total('in'),
      unchanged: total('unchanged'),
      refused: total('refused'),
      types,
      seconds,
    }
  }

  #of(type = '?') {
    const counts = this.#types.get(type) ?? { in: 0, unchanged: 0, refused: 0 }
    this.#types.set(type, counts)
    return counts
  }
}

function emptyReport(): ImportReport {
  return new Tally().report(0)
}
