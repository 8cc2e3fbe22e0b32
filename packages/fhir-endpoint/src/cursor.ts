import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import type { SearchPosition } from '@scopegate/fhir-model'

/** Where a next page starts, for whom, and until when. */
export interface Cursor {
  readonly kind: 'search' | 'history'
  readonly type: string
  /** Of a history. */
  readonly id?: string
  /** The parameters of the first page, as sent. */
  readonly used: readonly (readonly [name: string, value: string])[]
  readonly after: SearchPosition
  /** `Access.fingerprint` of the caller it was made for. */
  readonly accessFingerprint: string
  /** Epoch seconds. */
  readonly expiresAt: number
}

export interface CursorSeal {
  seal(cursor: Cursor): string
  /** The cursor; `undefined` when this text was not made by `seal` with this key. */
  open(text: string): Cursor | undefined
}

const IV_BYTES = 12
const TAG_BYTES = 16
const CONTEXT = Buffer.from('scopegate fhir page link 1')

/**
 * Page links are encrypted and authenticated (AES-256-GCM): they hold search values, which must
 * not be read from a log, and positions, which must not be chosen. Does not look at expiry or at
 * who sends it.
 * @param key 32 random bytes, the same in all processes of one installation
 */
export function createCursorSeal(key: Uint8Array): CursorSeal {
  if (key.byteLength !== 32) throw new TypeError('the cursor key must have 32 bytes')
  const secret = createSecretKey(key)
  return {
    seal(cursor) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(CONTEXT)
      const sealed = Buffer.concat([
        iv,
        cipher.update(JSON.stringify(cursor), 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ])
      return sealed.toString('base64url')
    },
    open(text) {
      // A second spelling of the same bytes would be a second name for the same link.
      const sealed = Buffer.from(text, 'base64url')
      if (sealed.length <= IV_BYTES + TAG_BYTES || sealed.toString('base64url') !== text) {
        return undefined
      }
      try {
        const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        })
          .setAAD(CONTEXT)
          .setAuthTag(sealed.subarray(-TAG_BYTES))
        const plain = Buffer.concat([
          decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)),
          decipher.final(),
        ])
        return JSON.parse(plain.toString('utf8')) as Cursor
      } catch {
        return undefined
      }
    },
  }
}
