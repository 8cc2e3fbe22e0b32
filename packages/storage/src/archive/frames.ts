import { StorageError } from '../storage-error.ts'

/**
 * What an archive consists of, in this order: `header`, then per table `table`, any number of `data`
 * and `tableEnd`, then `end`. On the wire: a letter, the length (32 bits, big endian), the content.
 */
export type Frame =
  | { readonly kind: 'header'; readonly value: ArchiveHeader }
  | { readonly kind: 'table'; readonly value: ArchiveTable }
  /** Part of a table in the text format of COPY, cut anywhere. */
  | { readonly kind: 'data'; readonly value: Buffer }
  | { readonly kind: 'tableEnd'; readonly value: TableSummary }
  | { readonly kind: 'end'; readonly value: ArchiveEnd }

export interface ArchiveHeader {
  readonly format: 1
  readonly createdAt: string
  readonly serverVersion: number
  /** Names of the applied migrations, oldest first. */
  readonly migrations: readonly string[]
  readonly tableCount: number
}

export interface ArchiveTable {
  readonly table: string
  readonly columns: readonly string[]
}

export interface TableSummary {
  readonly table: string
  readonly rows: number
  readonly bytes: number
  /** SHA-256 of the table's data frames, hex. */
  readonly sha256: string
}

export interface ArchiveEnd {
  readonly tables: number
  readonly rows: number
  /** Last value of every sequence; `called` as in setval. */
  readonly sequences: readonly {
    readonly name: string
    readonly value: string
    readonly called: boolean
  }[]
}

export const MAGIC = Buffer.from('scopegate-archive\n')

const LETTERS = { header: 'h', table: 't', data: 'd', tableEnd: 'e', end: 'z' } as const
const KINDS: ReadonlyMap<number, Frame['kind']> = new Map(
  Object.entries(LETTERS).map(([kind, letter]) => [letter.charCodeAt(0), kind as Frame['kind']]),
)
/** `pg` hands out COPY data in pieces of a row to some 64 kB; a single value may have 1 GB. */
const MAXIMUM_BYTES = 1_100_000_000

/** The frame as bytes. */
export function formatFrame(frame: Frame): Buffer {
  const content = frame.kind === 'data' ? frame.value : Buffer.from(JSON.stringify(frame.value))
  const head = Buffer.alloc(5)
  head.write(LETTERS[frame.kind], 'latin1')
  head.writeUInt32BE(content.length, 1)
  return Buffer.concat([head, content])
}

/**
 * Reads an archive's bytes as frames.
 *
 * @throws {StorageError} `bad-archive` when it is not an archive or is cut short
 */
export async function* parseFrames(bytes: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  const take = reader(bytes)
  if (!(await take(MAGIC.length))?.equals(MAGIC)) {
    throw new StorageError('bad-archive', 'this is not a backup made by Scopegate')
  }
  for (;;) {
    const head = await take(5)
    if (!head) throw cutShort()
    const kind = KINDS.get(head[0] as number)
    const length = head.readUInt32BE(1)
    if (!kind || length > MAXIMUM_BYTES) {
      throw new StorageError('bad-archive', 'the backup is damaged: a part of unknown kind')
    }
    const content = await take(length)
    if (!content) throw cutShort()
    const value = kind === 'data' ? content : parseJson(content)
    yield { kind, value } as Frame
    if (kind === 'end') return
  }
}

function cutShort(): StorageError {
  return new StorageError('bad-archive', 'the backup is incomplete: it ends before its last part')
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'))
  } catch (cause) {
    throw new StorageError('bad-archive', 'the backup is damaged: a part is not readable', {
      cause,
    })
  }
}

/** A function that takes exactly `count` bytes; `undefined` at the end. */
function reader(bytes: AsyncIterable<Buffer>): (count: number) => Promise<Buffer | undefined> {
  const source = bytes[Symbol.asyncIterator]()
  let parts: Buffer[] = []
  let held = 0
  return async (count) => {
    while (held < count) {
      const next = await source.next()
      if (next.done) return undefined
      parts.push(next.value)
      held += next.value.length
    }
    const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    const rest = all.subarray(count)
    parts = rest.length > 0 ? [rest] : []
    held = rest.length
    return all.subarray(0, count)
  }
}
