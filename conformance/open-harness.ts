import type { Harness } from './harness.ts'

/**
 * Starts what the suites run against; `undefined` where there is nothing to start, and the suites
 * are then skipped by name.
 *
 * @TODO start the server in process, on a test database, with a lab issuer.
 */
export async function openHarness(): Promise<Harness | undefined> {
  return undefined
}
