import { totalmem } from 'node:os'

/** Settings of the server by name, as `postgres -c name=value` takes them. */
export type ServerSettings = Readonly<Record<string, string>>

/** What a crash must never be able to take: these are not for tuning. */
const DURABLE: ServerSettings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
}

/** For databases that live as long as a test run. */
export const THROWAWAY: ServerSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

/**
 * Settings for a database that shares the machine with the server: an eighth of the memory (of the
 * container, when it is limited) for its buffers, 1 GB at most.
 */
export function serverSettings(tuning: ServerSettings = {}): ServerSettings {
  return { ...memorySettings(memoryMegabytes()), ...BASE, ...tuning, ...DURABLE }
}

const BASE: ServerSettings = {
  max_connections: '80',
  max_wal_size: '2GB',
  random_page_cost: '1.1',
  // Compiling a query costs more than our short ones take.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // INVARIANT: neither statements nor their errors in the log: they could hold patient data.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
}

export function memorySettings(megabytes: number): ServerSettings {
  const within = (low: number, value: number, high: number) =>
    `${Math.round(Math.min(high, Math.max(low, value)))}MB`
  return {
    shared_buffers: within(32, megabytes / 8, 1024),
    effective_cache_size: within(128, megabytes / 2, 65_536),
    work_mem: within(4, megabytes / 256, 32),
    maintenance_work_mem: within(32, megabytes / 32, 256),
  }
}

function memoryMegabytes(): number {
  const limit = process.constrainedMemory()
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return bytes / 1024 / 1024
}
