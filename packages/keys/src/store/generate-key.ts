import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { SignatureAlgorithm } from '../key-signer.ts'
import type { GeneratedKind } from './key-set.ts'

const generate = promisify(generateKeyPair)

const MAKERS: Readonly<Record<GeneratedKind, () => Promise<{ privateKey: KeyObject }>>> = {
  'rsa-2048': () => generate('rsa', { modulusLength: 2048 }),
  'rsa-3072': () => generate('rsa', { modulusLength: 3072 }),
  'rsa-4096': () => generate('rsa', { modulusLength: 4096 }),
  'ec-p256': () => generate('ec', { namedCurve: 'P-256' }),
  'ec-p384': () => generate('ec', { namedCurve: 'P-384' }),
  'ec-p521': () => generate('ec', { namedCurve: 'P-521' }),
  ed25519: () => generate('ed25519'),
}

export async function generateKey(kind: GeneratedKind): Promise<KeyObject> {
  return (await MAKERS[kind]()).privateKey
}

/** What is made for an algorithm when nothing else is said. */
export function kindFor(alg: SignatureAlgorithm): GeneratedKind {
  if (alg === 'ES256') return 'ec-p256'
  if (alg === 'ES384') return 'ec-p384'
  if (alg === 'ES512') return 'ec-p521'
  return alg === 'EdDSA' ? 'ed25519' : 'rsa-2048'
}
