import { unknownKey } from './change-key-sets.ts'
import { readSets } from './key-rows.ts'
import type { KeyAnswer } from './key-set.ts'
import type { PrivateKeys } from './private-keys.ts'
import type { SignKeysDeps } from './sign-keys-deps.ts'

const LEAST_CHARACTERS = 16

/**
 * The current private key as encrypted PKCS#8 (AES-256): never in clear. Whether it is to be had at
 * all is decided by who calls this.
 */
export async function exportKey(
  { pool, nowMs }: SignKeysDeps,
  privateKeys: PrivateKeys,
  name: string,
  passphrase: string,
): Promise<KeyAnswer<{ readonly pem: string; readonly kid: string }>> {
  if (passphrase.length < LEAST_CHARACTERS) {
    const why = `the passphrase is shorter than ${LEAST_CHARACTERS} characters`
    return { ok: false, status: 400, why, fix: 'make one: `openssl rand -base64 24`' }
  }
  const [rows] = await readSets(pool, nowMs(), name)
  const current = rows?.keys.find(({ state }) => state === 'current')
  if (current === undefined) return unknownKey(name)
  const { privateKey } = privateKeys.open(current)
  const pem = privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase,
  })
  return { ok: true, pem: String(pem), kid: current.kid }
}
