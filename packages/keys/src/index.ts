export { type KeySigner, SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './key-signer.ts'
