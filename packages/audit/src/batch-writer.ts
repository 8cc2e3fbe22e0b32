/** Collects what many callers write and hands it on in batches, one batch at a time, in order. */
export interface BatchWriter<T> {
  /** Resolves when the batch with this item is written. @throws what `write` threw */
  add(item: T): Promise<void>
  /** Like `add`, for callers that do not wait; `false` when the buffer is full and it was dropped. */
  push(item: T): boolean
  /** Resolves when everything added so far is written or has failed. */
  flush(): Promise<void>
}

export interface BatchWriterOptions<T> {
  /** Writes all or nothing; called again with the same items after it threw, if they are kept. */
  readonly write: (items: readonly T[]) => Promise<void>
  readonly maxBatch: number
  /** Items that may wait; more are refused. */
  readonly maxWaiting: number
  /** How long pushed items may wait for company. Added items do not wait. */
  readonly lingerMs: number
  /** Whether failed items are tried again with the next batch. */
  readonly keepFailed: boolean
  /** A batch failed; `lost` items of it are gone. */
  readonly onError: (error: unknown, lost: number) => void
}

interface Waiting<T> {
  readonly item: T
  settle?: { readonly resolve: () => void; readonly reject: (error: unknown) => void }
}

/** A buffer that is full says so; nothing is dropped silently. */
export class BufferFull extends Error {
  override readonly name = 'BufferFull'
}

export function createBatchWriter<T>(options: BatchWriterOptions<T>): BatchWriter<T> {
  let waiting: Waiting<T>[] = []
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    // The turn of the event loop that woke us may have more to add.
    await new Promise<void>((resolve) => setImmediate(resolve))
    try {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, options.maxBatch)
        waiting = waiting.slice(batch.length)
        try {
          await options.write(batch.map(({ item }) => item))
          for (const { settle } of batch) settle?.resolve()
        } catch (error) {
          for (const { settle } of batch) settle?.reject(error)
          const kept = options.keepFailed ? batch.map(({ item }) => ({ item })) : []
          waiting = [...kept, ...waiting]
          options.onError(error, batch.length - kept.length)
          // No busy loop against a database that is down: the next item or the timer tries again.
          if (kept.length > 0) {
            schedule(Math.max(options.lingerMs, 250))
            return
          }
        }
      }
    } finally {
      // Without a turn in between: who was just told and adds at once must start a new run.
      running = undefined
    }
  }

  function start(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    running ??= run()
    return running
  }

  function schedule(ms: number): void {
    if (timer !== undefined) return
    timer = setTimeout(() => void start(), ms)
    timer.unref()
  }

  return {
    add(item) {
      if (waiting.length >= options.maxWaiting) {
        return Promise.reject(new BufferFull('too many entries wait to be written'))
      }
      return new Promise((resolve, reject) => {
        waiting.push({ item, settle: { resolve, reject } })
        void start()
      })
    },
    push(item) {
      if (waiting.length >= options.maxWaiting) return false
      waiting.push({ item })
      if (waiting.length >= options.maxBatch) void start()
      else if (running === undefined) schedule(options.lingerMs)
      return true
    },
    async flush() {
      // A run that is under way may have passed the items that were added last.
      if (running !== undefined) await running
      if (waiting.length > 0) await start()
    },
  }
}
