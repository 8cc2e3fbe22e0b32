import { integer, item, readElement } from '../pkcs12/der.ts'
import { KeyMaterialError } from './key-material.ts'

// More than anybody recommends; a crafted file must not stop the process for long.
export const MAX_ITERATIONS = 2_000_000

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'

/**
 * Refuses an encrypted PKCS#8 key whose passphrase would take OpenSSL minutes to stretch: it knows
 * no bound, and works on the thread that serves everybody. What is not such a key passes.
 *
 * @throws {KeyMaterialError}
 * @see [RFC 8018 §4.2](https://www.rfc-editor.org/rfc/rfc8018.html#section-4.2)
 */
export function checkIterations(der: Uint8Array, where: string): void {
  const iterations = iterationsOf(der)
  if (iterations === undefined || iterations <= MAX_ITERATIONS) return
  throw new KeyMaterialError(
    where,
    `the passphrase would have to be stretched by ${iterations} iterations; ${MAX_ITERATIONS} are taken at most`,
    'encrypt a copy anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem`',
  )
}

function iterationsOf(der: Uint8Array): number | undefined {
  try {
    const algorithm = item(readElement(der), 0)
    if (item(algorithm, 0).oid !== PBES2) return count(() => item(item(algorithm, 1), 1))
    const derivation = item(item(algorithm, 1), 0)
    // scrypt has a bound of its own in OpenSSL, by memory.
    if (item(derivation, 0).oid !== PBKDF2) return undefined
    return count(() => item(item(derivation, 1), 1))
  } catch {
    return undefined
  }
}

function count(find: () => Parameters<typeof integer>[0]): number {
  const element = find()
  try {
    return integer(element)
  } catch {
    // A number as long as that is too many.
    return element.tag === 'universal 2' ? Number.POSITIVE_INFINITY : 0
  }
}
