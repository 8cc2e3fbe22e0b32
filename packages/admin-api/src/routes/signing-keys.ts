import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'

/** The published keys that tokens are signed with, oldest first; nothing private. */
export async function listSigningKeys({ deps }: AdminCall): Promise<AdminAnswer> {
  return answerJson({ keys: await signingKeysToWire(deps) })
}

export async function signingKeysToWire({ signingKeys }: AdminCall['deps']) {
  const keys = await signingKeys.list()
  return keys.map(({ kid, alg, state, createdAt, retiredAt }) => ({
    kid,
    alg,
    state,
    created_at: createdAt,
    ...(retiredAt !== undefined && { retired_at: retiredAt }),
  }))
}

/** The next key signs from now on; tokens of the former one are good until they expire. */
export async function rotateSigningKeys({ deps }: AdminCall): Promise<AdminAnswer> {
  const { kid, retired } = await deps.signingKeys.rotate()
  return answerJson({ kid, retired }, 200, { target: `key/${kid}`, detail: { retired } })
}
