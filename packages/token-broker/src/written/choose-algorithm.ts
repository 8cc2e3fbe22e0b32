import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '@scopegate/keys'
import { presetOf } from './resolve-addresses.ts'
import type { WrittenConnection } from './written-connection.ts'

/**
 * What a key signs this connection's assertions with: as written, else what the provider wants most
 * of what the key can, else the key's own.
 *
 * @param supported what the key can sign with, the usual one first
 * @returns the written one even if the key cannot: who uses the key says so
 */
export function chooseAlgorithm(
  written: WrittenConnection,
  supported: readonly SignatureAlgorithm[],
): SignatureAlgorithm | undefined {
  const { alg } = written.authentication ?? {}
  if (alg !== undefined) return SIGNATURE_ALGORITHMS.find((each) => each === alg)
  const { assertion, algorithms = [] } = presetOf(written)
  const wanted = [...(assertion.alg === undefined ? [] : [assertion.alg]), ...algorithms]
  const found = wanted.find((each) => supported.some((one) => one === each))
  return supported.find((each) => each === found) ?? supported[0]
}

/** What a key that signs with `alg` can sign with as well: RSA keys have six algorithms. */
export function algorithmsBeside(alg: SignatureAlgorithm): readonly SignatureAlgorithm[] {
  if (!/^[RP]S/.test(alg)) return [alg]
  return [alg, ...SIGNATURE_ALGORITHMS.filter((each) => each !== alg && /^[RP]S/.test(each))]
}
