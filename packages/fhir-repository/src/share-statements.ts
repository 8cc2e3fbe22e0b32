export interface SharedStatements<Item> {
  /** Statements under way at most: what comes then waits for company instead. */
  readonly atOnce: number
  /** Removes the items of the next statement from the front of the list, at least one. */
  readonly take: (waiting: Item[]) => readonly Item[]
  /** Runs the statement and settles its items; must not reject. */
  readonly send: (batch: readonly Item[]) => Promise<void>
}

/**
 * Collects what is asked for while earlier statements are under way; alone, an item goes at once.
 * An item never joins a statement that was sent before it.
 */
export function shareStatements<Item>(shared: SharedStatements<Item>): (item: Item) => void {
  const waiting: Item[] = []
  let underWay = 0
  let woken = false

  function wake(): void {
    if (woken || underWay >= shared.atOnce || waiting.length === 0) return
    woken = true
    // What else this turn of the event loop asks for comes along.
    setImmediate(() => {
      woken = false
      underWay += 1
      void shared.send(shared.take(waiting)).finally(() => {
        underWay -= 1
        wake()
      })
      wake()
    })
  }

  return (item) => {
    waiting.push(item)
    wake()
  }
}
