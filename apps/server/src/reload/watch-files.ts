import { type FSWatcher, realpathSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

export interface FileWatch {
  /** Watches these from now on, and no others. */
  on(files: Iterable<string>): void
  close(): void
}

/**
 * Calls back some time after files changed, once for many events. Their directories are watched,
 * since editors, and Kubernetes with its link `..data`, put another file in the place of the old one.
 * File systems that tell nothing (some networks) are not looked at.
 */
export function watchFiles(
  onChange: () => void,
  { quietMs = 250, onError }: { quietMs?: number; onError: (error: unknown) => void },
): FileWatch {
  let watchers: FSWatcher[] = []
  let timer: NodeJS.Timeout | undefined
  const changed = () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, quietMs).unref()
  }
  function stop() {
    for (const watcher of watchers) watcher.close()
    watchers = []
  }
  return {
    on(files) {
      stop()
      for (const [directory, names] of byDirectory(files)) {
        try {
          const watcher = watch(directory, { persistent: false }, (_event, name) => {
            if (name === null || names.has(name) || name.startsWith('..')) changed()
          })
          watchers.push(watcher.on('error', onError))
        } catch (error) {
          onError(error)
        }
      }
    },
    close() {
      clearTimeout(timer)
      stop()
    },
  }
}

/** With what links point to: it may be written where it is. */
function byDirectory(files: Iterable<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>()
  for (const file of files) {
    for (const each of new Set([file, realOf(file)])) {
      const directory = dirname(each)
      names.set(directory, (names.get(directory) ?? new Set()).add(basename(each)))
    }
  }
  return names
}

function realOf(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}
