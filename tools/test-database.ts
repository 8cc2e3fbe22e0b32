/** Where the test files of one run find their PostgreSQL. */
export interface SharedTestDatabase {
  stop(): Promise<void>
}

/**
 * Starts one embedded PostgreSQL for the whole run and names it in the environment that the test
 * processes inherit; does nothing when the environment names one already.
 */
export async function startSharedTestDatabase(): Promise<SharedTestDatabase> {
  if (process.env.SCOPEGATE_TEST_DATABASE_URL) return { stop: async () => {} }
  const testing: {
    startTestServer?: () => Promise<{ url: string; stop(): Promise<void> }>
  } = await import('@scopegate/storage/testing').catch(() => ({}))
  if (!testing.startTestServer) return { stop: async () => {} }
  const server = await testing.startTestServer()
  process.env.SCOPEGATE_TEST_DATABASE_URL = server.url
  return { stop: () => server.stop() }
}
