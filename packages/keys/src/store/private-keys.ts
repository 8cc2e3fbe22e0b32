import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Sealer } from '@scopegate/secrets'
import { certificateOf, readCertificates } from '../material/certificate-chain.ts'
import { keyKindOf } from '../material/key-kind.ts'
import type { KeyMaterial } from '../material/key-material.ts'
import type { KeyRow } from './key-rows.ts'

/** Private keys on their way into the database and out of it: sealed for their place. */
export interface PrivateKeys {
  seal(key: KeyObject, setName: string, kid: string): string
  /** The key and its certificate, in memory. @throws {UnsealError} */
  open(row: KeyRow): KeyMaterial
}

// Unsealing and reading an RSA key takes longer than signing with it.
const MAX_OPENED = 200

export function createPrivateKeys(sealer: Sealer): PrivateKeys {
  const opened = new Map<string, KeyMaterial>()
  return {
    seal(key, setName, kid) {
      const der = key.export({ format: 'der', type: 'pkcs8' })
      try {
        return sealer.seal(der, placeOf(setName, kid))
      } finally {
        der.fill(0)
      }
    },
    open(row) {
      if (row.sealed === null) throw new TypeError('a retired key has no private part')
      // Sealed text is never the same twice, so it stands for key and place; a certificate may change.
      const id = `${row.sealed} ${row.certificates}`
      const known = opened.get(id)
      if (known !== undefined) return known
      const material = openRow(row, sealer)
      opened.set(id, material)
      const oldest = opened.keys().next()
      if (opened.size > MAX_OPENED && !oldest.done) opened.delete(oldest.value)
      return material
    },
  }
}

function openRow(row: KeyRow, sealer: Sealer): KeyMaterial {
  const der = sealer.unseal(row.sealed ?? '', placeOf(row.set_name, row.kid))
  try {
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    const name = `${row.set_name}/${row.kid}`
    return {
      name,
      privateKey,
      publicKey: createPublicKey(privateKey),
      ...keyKindOf(privateKey, name),
      kid: row.kid,
      ...(row.certificates === null
        ? {}
        : {
            certificate: certificateOf(privateKey, readCertificates(row.certificates, name), name),
          }),
    }
  } finally {
    der.fill(0)
  }
}

/** What a sealed key is bound to: moved to another row it does not open. */
export function placeOf(setName: string, kid: string): string {
  return `sign_key:${setName}:${kid}`
}
