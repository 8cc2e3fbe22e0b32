import type { ServerMetadata } from 'openid-client'
import { LoginRefused, shownText } from './login-refused.ts'
import type { LoginState } from './login-state.ts'

/**
 * What of the provider's answer can be judged before it is asked anything: that it belongs to the
 * sign-in of the cookie. @throws {LoginRefused}
 */
export function checkAnswer(provider: string, answer: URLSearchParams, state: LoginState): void {
  if (state.provider !== provider) {
    throw new LoginRefused('state_of_other_provider', {
      expected: `an answer of \`${state.provider}\``,
      got: `one at the address of \`${provider}\``,
    })
  }
  if (answer.getAll('state').length !== 1 || answer.get('state') !== state.id) {
    throw new LoginRefused('state_mismatch')
  }
  if (!answer.has('code') && !answer.has('error')) throw new LoginRefused('code_missing')
}

/**
 * That the answer comes from the provider that was asked. `required`: where another provider answers
 * at the same address, nothing but `iss` tells them apart.
 *
 * @throws {LoginRefused} @see RFC 9207 §2.4, RFC 9700 §4.4
 */
export function checkAnswerIssuer(
  answer: URLSearchParams,
  metadata: ServerMetadata,
  required: boolean,
): void {
  const expected = metadata.issuer
  const got = answer.getAll('iss')
  if (got.length === 0) {
    if (!required && !metadata.authorization_response_iss_parameter_supported) return
    throw new LoginRefused('answer_issuer_missing', { expected: `\`iss\` \`${expected}\`` })
  }
  if (got.length === 1 && got[0] === expected) return
  throw new LoginRefused('answer_issuer_mismatch', {
    expected: `\`iss\` \`${expected}\``,
    got: `\`${shownText(got.join(' '))}\``,
  })
}

/**
 * That the user signed in anew, where that was asked for and the provider says when it was. Some do
 * not (Google, Entra): `maxAgeSeconds` of `begin` insists.
 *
 * @throws {LoginRefused} @see OpenID Connect Core 1.0 §3.1.2.1 prompt
 */
export function checkFresh(
  { auth_time: authTime }: Readonly<Record<string, unknown>>,
  { freshAfter }: LoginState,
  toleranceSeconds: number,
): void {
  if (freshAfter === undefined || typeof authTime !== 'number') return
  if (authTime >= freshAfter - toleranceSeconds) return
  throw new LoginRefused('sign_in_not_fresh', {
    expected: `\`auth_time\` after ${freshAfter}`,
    got: `${authTime}`,
  })
}
