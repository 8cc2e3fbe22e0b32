import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, crc32, createGunzip } from 'node:zlib'
import { CliError } from '../cli-error.ts'

/** A file on its way in: NDJSON bytes, whatever the file is. */
export interface Input {
  readonly sizeBytes: number
  /** Of the file as it lies on the disk, for the progress bar. */
  readonly readBytes: () => number
  readonly chunks: AsyncIterable<Uint8Array>
  /** Told after the last chunk: `undefined`, or why the file is not whole. */
  readonly problem: () => Promise<CliError | undefined>
}

/**
 * Opens NDJSON, a single resource or a Bundle, each also gzipped. A truncated gzip file yields what
 * can be read and then a problem; the half line at its end is left out.
 *
 * @throws {CliError} when the file cannot be opened
 */
export async function openInput(file: string): Promise<Input> {
  const { head, sizeBytes } = await inspect(file)
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  const raw = createReadStream(file, { highWaterMark: 256 * 1024 })
  let readBytes = 0
  raw.on('data', (chunk) => {
    readBytes += chunk.length
  })
  raw.pause()

  let checksum = 0
  let written = 0
  const text = isGzip
    ? raw.pipe(createGunzip({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 256 * 1024 }))
    : raw
  let broken: Error | undefined
  raw.once('error', (error) => text.destroy(error))

  async function* chunks(): AsyncGenerator<Uint8Array> {
    const lines = new OneLineDocuments(file)
    try {
      for await (const chunk of text as AsyncIterable<Buffer>) {
        if (isGzip) {
          checksum = crc32(chunk, checksum)
          written += chunk.length
        }
        yield* lines.push(chunk)
      }
    } catch (error) {
      broken = error as Error
    }
    const whole = broken === undefined && (!isGzip || (await isWhole(file, checksum, written)))
    if (!whole) broken ??= new Error('the file ends in the middle')
    yield* lines.finish(whole)
  }

  return {
    sizeBytes,
    readBytes: () => readBytes,
    chunks: chunks(),
    async problem() {
      if (!broken) return undefined
      return new CliError(`${file} is not whole`, {
        where: `after ${readBytes} of ${sizeBytes} bytes`,
        why: isGzip ? `truncated or damaged gzip: ${broken.message}` : broken.message,
        fix: 'what could be read is in; get the whole file and import it again, nothing is stored twice',
      })
    },
  }
}

async function inspect(file: string): Promise<{ head: Buffer; sizeBytes: number }> {
  try {
    const found = await stat(file)
    if (found.isDirectory()) {
      throw new CliError(`${file} is a folder`, { fix: 'name files, such as folder/*.ndjson' })
    }
    const handle = await open(file)
    try {
      const head = Buffer.alloc(2)
      await handle.read(head, 0, 2, 0)
      return { head, sizeBytes: found.size }
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new CliError(`${file} cannot be read`, {
      why: missing ? 'no such file' : (error as Error).message,
      fix: 'check the path and its permissions',
    })
  }
}

/**
 * Whether a gzip file ended where it should. Its last 8 bytes hold checksum and length of what was
 * packed (RFC 1952 §2.3.1); a file of several members is unpacked once more to be sure.
 */
async function isWhole(file: string, checksum: number, written: number): Promise<boolean> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const trailer = Buffer.alloc(8)
    if (size >= 18) await handle.read(trailer, 0, 8, size - 8)
    if (trailer.readUInt32LE(0) === checksum && trailer.readUInt32LE(4) === written % 2 ** 32) {
      return true
    }
  } finally {
    await handle.close()
  }
  try {
    await pipeline(createReadStream(file), createGunzip(), new Discard())
    return true
  } catch {
    return false
  }
}

class Discard extends Transform {
  override _transform(_chunk: unknown, _encoding: string, done: TransformCallback): void {
    done()
  }
}

const LINE_FEED = 0x0a

/**
 * Turns a document that was written over several lines into one line, and leaves NDJSON alone. A
 * line feed inside JSON is white space (strings cannot hold one), so a blank in its place changes
 * nothing. NDJSON is told by the name of the file, else by a first line that ends with a brace.
 */
class OneLineDocuments {
  #mode: 'unknown' | 'ndjson' | 'document'
  #first: Buffer[] = []
  #rest: Buffer = Buffer.alloc(0)

  constructor(file: string) {
    this.#mode = /\.(ndjson|jsonl)(\.gz)?$/i.test(file) ? 'ndjson' : 'unknown'
  }

  *push(chunk: Buffer): Generator<Uint8Array> {
    if (this.#mode === 'unknown') {
      this.#first.push(chunk)
      if (!chunk.includes(LINE_FEED)) return
      const start = Buffer.concat(this.#first)
      this.#first = []
      this.#mode = firstLineIsWhole(start) ? 'ndjson' : 'document'
      yield* this.push(start)
    } else if (this.#mode === 'document') {
      for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) {
        chunk[at] = 0x20
      }
      yield chunk
    } else {
      // The last, perhaps unfinished line is held back until it is known to be whole.
      const end = chunk.lastIndexOf(LINE_FEED)
      if (end === -1) {
        this.#rest = Buffer.concat([this.#rest, chunk])
        return
      }
      if (this.#rest.length > 0) yield this.#rest
      yield chunk.subarray(0, end + 1)
      this.#rest = Buffer.from(chunk.subarray(end + 1))
    }
  }

  /** @param whole without it, what is left is half a line and is dropped */
  *finish(whole: boolean): Generator<Uint8Array> {
    const left = this.#mode === 'unknown' ? Buffer.concat(this.#first) : this.#rest
    if (whole && left.length > 0) yield left
    if (this.#mode === 'document' || left.length > 0) yield Buffer.from('\n')
  }
}

function firstLineIsWhole(start: Buffer): boolean {
  const text = start.toString('utf8').trimStart()
  const line = text.slice(0, Math.max(text.indexOf('\n'), 0)).trim()
  return line.startsWith('{') && line.endsWith('}')
}
