import { setImmediate as endOfTurn } from 'node:timers/promises'

/**
 * Callers who ask for the same name at a time get it from one read. Nobody joins a read that began
 * before he asked: who asks after a change sees it.
 */
export function shareReads<Value>(
  read: (name: string) => Promise<Value>,
): (name: string) => Promise<Value> {
  const waiting = new Map<string, Promise<Value>>()
  const underWay = new Map<string, Promise<Value>>()

  async function readNext(name: string): Promise<Value> {
    await Promise.allSettled([underWay.get(name)])
    await endOfTurn()
    waiting.delete(name)
    const reading = read(name)
    underWay.set(name, reading)
    try {
      return await reading
    } finally {
      if (underWay.get(name) === reading) underWay.delete(name)
    }
  }

  return (name) => {
    const joined = waiting.get(name)
    if (joined !== undefined) return joined
    const next = readNext(name)
    waiting.set(name, next)
    return next
  }
}
