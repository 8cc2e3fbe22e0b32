import { randomBytes } from 'node:crypto'
import { type Argon2Parameters, hashArgon2, OWASP_PARAMETERS, verifyArgon2 } from './argon2.ts'

/**
 * Hashes and compares passwords, a few at a time: each takes some 20 ms of a core and 19 MiB.
 * Everything it does may be answered `busy`: too many wait already, try again in a second.
 */
export interface PasswordHasher {
  /** A PHC string, with its parameters. */
  hash(password: string): Promise<string | 'busy'>
  /**
   * Compares; without a hash (`undefined`: no such user, no password) it does the same work and
   * says no. `outdated`: hash again, the parameters are others now.
   */
  verify(
    password: string,
    phc: string | undefined,
  ): Promise<{ readonly ok: boolean; readonly outdated: boolean } | 'busy'>
}

export interface PasswordHasherOptions {
  readonly parameters?: Argon2Parameters
  /** At the same time; the rest of Node's four threads is for files and names. */
  readonly concurrency?: number
  /** Beyond these, `busy`. */
  readonly maxWaiting?: number
}

export function createPasswordHasher({
  parameters = OWASP_PARAMETERS,
  concurrency = 2,
  maxWaiting = 64,
}: PasswordHasherOptions = {}): PasswordHasher {
  const waiting: (() => void)[] = []
  let running = 0

  async function inTurn<T>(work: () => Promise<T>): Promise<T | 'busy'> {
    if (running >= concurrency) {
      if (waiting.length >= maxWaiting) return 'busy'
      // The one that ends hands its place on, so nobody overtakes.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else {
      running++
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  let standIn: Promise<string> | undefined
  /** A hash that nobody knows the password of. */
  const nobody = () => {
    standIn ??= hashArgon2(randomBytes(32).toString('base64'), parameters)
    return standIn
  }

  return {
    hash: (password) => inTurn(() => hashArgon2(password, parameters)),
    verify: (password, phc) =>
      inTurn(async () => {
        const unknown = await nobody()
        const verdict = await verifyArgon2(password, phc ?? unknown, parameters)
        return phc === undefined ? { ok: false, outdated: false } : verdict
      }),
  }
}
