import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import type { MasterKey } from './master-key.ts'

/** Keeps secrets in the database unreadable without the master key. */
export interface Sealer {
  /**
   * Encrypts `plain` for the place named by `context` (such as `signing_key:<kid>`): text sealed
   * for one place does not unseal in another.
   */
  seal(plain: string | Uint8Array, context: string): string
  /** @throws {UnsealError} if it was altered, belongs elsewhere, or its key is not there. */
  unseal(sealed: string, context: string): Buffer
}

/** A sealer whose keys may change while it is used. */
export interface KeyRing extends Sealer {
  /** Seals with `currentId` from now on, and unseals with all of these. */
  use(keys: readonly MasterKey[], currentId: string): void
  /** The id of the key that seals. */
  readonly currentId: string
}

/** Sealed text that cannot be opened; the message names the place and the key id, nothing secret. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError'
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What text begins with that is sealed under this key: always as long. */
export function sealedPrefix(keyId: string): string {
  return `v1.${keyId}.`
}

/** The first key seals, all unseal. @see createKeyRing */
export function createSealer(keys: readonly MasterKey[]): Sealer {
  const [current] = keys
  if (current === undefined) throw new TypeError('createSealer needs at least one master key')
  return createKeyRing(keys, current.id)
}

/**
 * AES-256-GCM with a random 96-bit nonce; the key id and the context are authenticated with it.
 *
 * @see NIST SP 800-38D: fine for far more seals under one key than a server makes in its life.
 */
export function createKeyRing(keys: readonly MasterKey[], id: string): KeyRing {
  // As key objects: with bytes in their place, Node makes one for each call, which costs more than
  // the encryption.
  let byId = new Map<string, KeyObject>()
  let currentId = id
  let current: KeyObject

  function use(next: readonly MasterKey[], nextId: string): void {
    const nextById = new Map(next.map((each) => [each.id, createSecretKey(each.key)]))
    const found = nextById.get(nextId)
    if (found === undefined) throw new TypeError(`there is no master key \`${nextId}\``)
    byId = nextById
    current = found
    currentId = nextId
  }
  use(keys, id)

  return {
    use,
    get currentId() {
      return currentId
    },

    seal(plain, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current, nonce)
      cipher.setAAD(associatedData(currentId, context))
      const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      return `${sealedPrefix(currentId)}${nonce.toString('base64url')}.${body.toString('base64url')}`
    },

    unseal(sealed, context) {
      const [version, id = '', nonce = '', text = '', ...rest] = sealed.split('.')
      if (version !== 'v1' || rest.length > 0) {
        throw new UnsealError(`what is stored for \`${context}\` is not sealed text`)
      }
      const key = byId.get(id)
      if (key === undefined) {
        throw new UnsealError(
          `\`${context}\` is sealed with master key \`${id}\`, which is not in the master key file: restore that file from its backup`,
        )
      }
      const body = Buffer.from(text, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
          authTagLength: TAG_BYTES,
        })
        decipher.setAAD(associatedData(id, context))
        decipher.setAuthTag(body.subarray(-TAG_BYTES))
        return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()])
      } catch (cause) {
        throw new UnsealError(
          `\`${context}\` cannot be unsealed: it was altered, or moved from another place`,
          { cause },
        )
      }
    },
  }
}

function associatedData(keyId: string, context: string): Buffer {
  return Buffer.from(`scopegate.v1\0${keyId}\0${context}`)
}
