import { KeyMaterialError, type KeySigner, SignKeyUnavailable } from '@scopegate/keys'
import { AssertionError } from './sign-assertion.ts'

/** The key is kept where nothing answers now. */
export class KeyUnreachable extends Error {
  override readonly name = 'KeyUnreachable'
}

/**
 * The key that signs now.
 *
 * @throws {AssertionError} if there is none, or it cannot sign like that
 * @throws {KeyUnreachable} if that could not be found out
 */
export async function useSigner(signer: () => Promise<KeySigner>): Promise<KeySigner> {
  try {
    return await signer()
  } catch (cause) {
    if (cause instanceof KeyMaterialError || cause instanceof SignKeyUnavailable) {
      throw new AssertionError(cause.message, { cause })
    }
    throw new KeyUnreachable('the key that signs cannot be had now', { cause })
  }
}
