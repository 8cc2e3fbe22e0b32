import { createHmac } from 'node:crypto'

/** Values that a proof must hold, so that it cannot have been made long before. @see RFC 9449 §9 */
export interface DpopNonces {
  /** What the next proof should hold. */
  current(): string
  /** Whether the nonce was given out within the last two minutes or so. */
  accepts(nonce: string): boolean
}

/**
 * Nonces made of a secret and the time: nothing is stored, and every process with the same secret
 * accepts those of the others.
 *
 * @param secret 32 random bytes
 */
export function createDpopNonces(options: {
  readonly secret: Uint8Array
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** How long one nonce is the current one. Default 60. */
  readonly stepSeconds?: number
}): DpopNonces {
  const stepMs = (options.stepSeconds ?? 60) * 1000
  let step = Number.NaN
  /** The last one, the current one, and the next, which a process whose clock is ahead gives out. */
  let valid: readonly string[] = []

  const nonceOf = (number: number) =>
    createHmac('sha256', options.secret).update(`dpop nonce ${number}`).digest('base64url')

  function update(): readonly string[] {
    const now = Math.floor(options.nowMs() / stepMs)
    if (now !== step) {
      step = now
      valid = [now - 1, now, now + 1].map(nonceOf)
    }
    return valid
  }

  return {
    current: () => update()[1] ?? '',
    accepts: (nonce) => update().includes(nonce),
  }
}
