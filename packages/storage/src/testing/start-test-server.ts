import { joinSharedCluster } from './join-shared-cluster.ts'

/**
 * The PostgreSQL that {@link testStorage} shares among the processes of a run, as a URL for a runner
 * that hands it on as SCOPEGATE_TEST_DATABASE_URL. After `stop` it ends when nobody else uses it.
 */
export async function startTestServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const { url, leave } = await joinSharedCluster()
  return { url, stop: async () => leave() }
}
