import { maskSecretReference } from '@scopegate/secrets'

/** The same settings as they may be shown: where a secret stands itself, `***` stands. */
export function shownSettings<T>(settings: T): T {
  if (typeof settings === 'string') return maskSecretReference(settings) as T
  if (Array.isArray(settings)) return settings.map(shownSettings) as T
  if (typeof settings !== 'object' || settings === null) return settings
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, shownSettings(value)]),
  ) as T
}
