import type { StorageProblem } from '../storage-error.ts'
import type { WatchedPlace } from './data-layout.ts'
import type { ServerSettings } from './server-settings.ts'

/** First line of the watcher's input. */
export interface WatcherTask {
  readonly dir: string
  readonly ownerPid: number
  readonly url?: string
  readonly settings: ServerSettings
  readonly startTimeoutMs: number
}

/** Lines of the watcher's output. */
export type WatcherEvent =
  | { readonly event: 'ready'; readonly pid: number; readonly place: WatchedPlace }
  /** The server ended by itself; the watcher starts it again. */
  | { readonly event: 'down'; readonly reason: string }
  /** The watcher gives up and exits. */
  | { readonly event: 'failed'; readonly problem?: StorageProblem; readonly message: string }
