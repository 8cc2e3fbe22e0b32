import type { KeyRotation, SigningKeys } from '@scopegate/authorization-server'

export interface KeyRotationOptions {
  readonly keys: Pick<SigningKeys, 'rotateIfOlder'>
  /** Days after which the keys rotate; 0: never. */
  readonly days: number
  readonly onRotated: (rotation: KeyRotation) => void | Promise<void>
  readonly onError: (error: unknown) => void
  readonly everyMs?: number
}

const DAY_SECONDS = 86_400

/**
 * Rotates the signing keys when they are old enough: looked at now and once a day. Any number of
 * servers on one database may do so; one of them rotates.
 *
 * @returns what ends it; resolves when a look that is under way has ended
 */
export function startKeyRotation(options: KeyRotationOptions): () => Promise<void> {
  const { keys, days, onRotated, onError, everyMs = DAY_SECONDS * 1000 } = options
  if (days === 0) return async () => undefined
  let looking = look()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, everyMs)
  timer.unref()

  async function look(): Promise<void> {
    try {
      const rotation = await keys.rotateIfOlder(days * DAY_SECONDS)
      if (rotation !== undefined) await onRotated(rotation)
    } catch (error) {
      onError(error)
    }
  }

  return () => {
    clearInterval(timer)
    return looking
  }
}
