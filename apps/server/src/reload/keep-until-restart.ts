import type { Settings } from '../config/settings.ts'
import type { Config } from '../config.ts'
import { RESTART_SETTINGS } from './restart-settings.ts'

/** What the settings that need a restart have become. */
const MADE_AT_START = [
  'file',
  'url',
  'listen',
  'localTls',
  'dataDir',
  'databaseUrl',
  'masterKeyFile',
] as const satisfies readonly (keyof Config)[]

/** The new configuration, with what is read at the start only as it was then. */
export function keepUntilRestart(running: Config, next: Config): Config {
  const kept: Record<string, unknown> = { ...next, settings: structuredClone(next.settings) }
  for (const key of MADE_AT_START) {
    if (running[key] === undefined) delete kept[key]
    else kept[key] = running[key]
  }
  for (const path of RESTART_SETTINGS) {
    copyAt(running.settings, kept.settings as Settings, path.split('.'))
  }
  return kept as unknown as Config
}

function copyAt(from: object, to: object, [name = '', ...rest]: readonly string[]): void {
  const [source, target] = [from as Record<string, never>, to as Record<string, unknown>]
  if (rest.length > 0) copyAt(source[name] ?? {}, target[name] as object, rest)
  else if (name in source) target[name] = source[name]
  else delete target[name]
}
