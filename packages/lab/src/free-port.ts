import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the ports that Linux, macOS and Windows give to outgoing connections and to port 0. */
const [LOWEST, HIGHEST] = [20_000, 32_000]
const given = new Set<number>()

/**
 * A port of loopback that is free now, and that nothing takes by chance before somebody listens
 * there: no connection leaves from it, and no server that takes any port gets it. One process is
 * never given the same one twice.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no port between ${LOWEST} and ${HIGHEST} is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
