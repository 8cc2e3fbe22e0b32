import { failed } from '@scopegate/checks'
import type { OwnTokens } from '../own-endpoints/own-tokens.ts'
import type { OwnAnswer, OwnCall, Refusals } from '../own-endpoints/refusals.ts'
import { verifyBearer } from '../own-endpoints/verify-bearer.ts'
import { checkUserinfoToken, type KnownUser, userinfoAnswer } from './userinfo-answer.ts'

export interface UserinfoDeps {
  readonly issuer: string
  readonly tokens: OwnTokens
  readonly refuse: Refusals
  /** Who a token was issued for. */
  readonly findUser: (id: string) => Promise<KnownUser | undefined>
}

const METHODS = ['GET', 'HEAD', 'POST']

/**
 * Tells who signed in, for an access token of any API here.
 *
 * @see OpenID Connect Core 1.0 §5.3
 */
export async function answerUserinfo(call: OwnCall, deps: UserinfoDeps): Promise<OwnAnswer> {
  const { issuer, tokens, refuse, findUser } = deps
  if (!METHODS.includes(call.request.method ?? '')) {
    const told = 'send GET or POST with the access token in the Authorization header'
    return {
      ...refuse.byReason(call, 'method_not_allowed', told),
      headers: { allow: 'GET, HEAD, POST, OPTIONS' },
    }
  }
  const verdict = await verifyBearer(call, tokens, issuer)
  if (!verdict.ok) return refuse.byChecks(call, verdict.checks, verdict)
  const { token, checks, dpopNonce } = verdict
  const claimed = { clientId: token.clientId, fingerprint: token.fingerprint }

  const unfit = checkUserinfoToken(token)
  if (unfit !== undefined) {
    return refuse.byChecks(call, [...checks, unfit], { claimed, scope: 'openid' })
  }
  const user = await findUser(token.subject)
  if (user === undefined || user.disabled) {
    const before = checks.filter(({ name }) => name !== 'revocation')
    return refuse.byChecks(call, [...before, failed('user_gone')], { claimed })
  }
  return {
    status: 200,
    body: userinfoAnswer(token, user),
    ...(dpopNonce === undefined ? {} : { headers: { 'dpop-nonce': dpopNonce } }),
  }
}
