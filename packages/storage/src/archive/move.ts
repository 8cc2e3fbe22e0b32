import type { Storage } from '../storage.ts'
import type { ArchiveReport, OnProgress } from './copy-session.ts'
import type { Frame } from './frames.ts'
import { readDatabase } from './read-database.ts'
import { writeDatabase } from './write-database.ts'

export interface MoveOptions {
  readonly onProgress?: OnProgress
  /**
   * Writers at the source wait until the copy is complete; readers do not. Without it the copy is of
   * the moment at which it began.
   */
  readonly holdWrites?: boolean
}

/**
 * Copies everything from one database to another, empty one, without a file in between, and checks
 * counts and checksums at the target. The source stays as it is.
 *
 * @throws {StorageError} `target-not-empty`, `newer-schema`, `foreign-schema`, `unavailable`
 */
export async function move(
  from: Storage,
  to: Storage,
  { onProgress, holdWrites = false }: MoveOptions = {},
): Promise<ArchiveReport> {
  const queue = new FrameQueue()
  const reading = readDatabase(from, (frame) => queue.put(frame), undefined, { holdWrites }).then(
    () => queue.end(),
    (error: unknown) => queue.fail(error),
  )
  try {
    return await writeDatabase(to, queue.frames(), onProgress)
  } finally {
    queue.fail(new Error('the target ended'))
    await reading
  }
}

/** One frame at a time from the reader to the writer: whoever is faster waits. */
class FrameQueue {
  #slot = Promise.withResolvers<Frame | undefined>()
  #taken = Promise.withResolvers<void>()

  async put(frame: Frame): Promise<void> {
    this.#slot.resolve(frame)
    await this.#taken.promise
  }

  end(): void {
    this.#slot.resolve(undefined)
  }

  fail(error: unknown): void {
    for (const side of [this.#slot, this.#taken]) {
      side.promise.catch(() => {})
      side.reject(error)
    }
  }

  async *frames(): AsyncGenerator<Frame> {
    for (;;) {
      const frame = await this.#slot.promise
      if (!frame) return
      const taken = this.#taken
      this.#slot = Promise.withResolvers()
      this.#taken = Promise.withResolvers()
      taken.resolve()
      yield frame
    }
  }
}
