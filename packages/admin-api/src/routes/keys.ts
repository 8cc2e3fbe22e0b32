import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'

/** The published signing keys, oldest first; nothing private. */
export async function listKeys({ deps }: AdminCall): Promise<AdminAnswer> {
  const keys = await deps.signingKeys.list()
  return answerJson({
    keys: keys.map(({ kid, alg, state, createdAt, retiredAt }) => ({
      kid,
      alg,
      state,
      created_at: createdAt,
      ...(retiredAt !== undefined && { retired_at: retiredAt }),
    })),
  })
}

/** The next key signs from now on; tokens of the former one are good until they expire. */
export async function rotateKeys({ deps }: AdminCall): Promise<AdminAnswer> {
  const { kid, retired } = await deps.signingKeys.rotate()
  return answerJson({ kid, retired }, 200, { target: `key/${kid}`, detail: { retired } })
}
