import type { KoaContextWithOIDC } from 'oidc-provider'
import { invalidGrant } from '../engine-errors.ts'
import { proofKey } from './proof-key.ts'
import { AnsweredBefore, type RefreshAnswers } from './refresh-answers.ts'

/**
 * Ends a request whose refresh token was used already with the answer that it got then, if that is
 * a moment ago and the client and its DPoP key are the same. Returns after the grace window.
 *
 * @throws {AnsweredBefore}
 */
export async function answerBefore(
  ctx: KoaContextWithOIDC,
  refreshToken: string,
  answers: RefreshAnswers,
): Promise<void> {
  const answer = await answers.find(refreshToken)
  if (answer === undefined) return
  const isSame =
    answer.clientId === ctx.oidc.client?.clientId &&
    answer.dpopKey === proofKey(ctx.get('DPoP') || undefined)
  if (isSame) throw new AnsweredBefore(answer.body)
  throw invalidGrant({
    code: 'refresh_token_refused',
    told: 'the refresh token was used a moment ago with another DPoP key',
  })
}
