export {
  type DatabasePids,
  databasePids,
  databaseProcesses,
  databaseProcessesGone,
} from './database-processes.ts'
export { startTestServer } from './start-test-server.ts'
export {
  type Cleanup,
  emptyTestDatabase,
  type TestStorageOptions,
  testStorage,
} from './test-storage.ts'
