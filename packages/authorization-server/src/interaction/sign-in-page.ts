import type { User } from '@scopegate/identity'
import { changePasswordPage } from '../pages/change-password-page.ts'
import { loginPage } from '../pages/login-page.ts'
import { secondFactorPage } from '../pages/second-factor-page.ts'
import type { SignInDeps, SignInVisit, Telling } from './sign-in.ts'

/**
 * The page of the step that a sign-in is at.
 *
 * @param at whose password was right, and what is next; missing at the beginning
 */
export function signInPage(
  visit: SignInVisit,
  telling: Telling,
  deps: Pick<SignInDeps, 'passkeys' | 'upstreamLogins' | 'minPasswordCharacters'>,
  at?: { readonly user: User; readonly next: 'second-factor' | 'password-change' },
): string {
  const { csrf, base, frame } = visit
  const problem = telling.problem === undefined ? {} : { problem: telling.problem }
  const passkeyAction = deps.passkeys && { passkeyAction: `${base}/passkey` }
  if (at?.next === 'second-factor') {
    const { name: userName, secondFactors } = at.user
    return secondFactorPage(frame, {
      ...{ csrf, userName, ...problem },
      action: `${base}/factor`,
      restartAction: `${base}/restart`,
      hasTotp: secondFactors.includes('totp'),
      ...(secondFactors.includes('passkey') && passkeyAction),
    })
  }
  if (at?.next === 'password-change') {
    return changePasswordPage(frame, {
      ...{ csrf, username: at.user.username, ...problem },
      action: `${base}/new-password`,
      forced: true,
      leastCharacters: deps.minPasswordCharacters ?? 12,
    })
  }
  const { appName, again = false, loginHint = '', canCancel = false } = visit
  return loginPage(frame, {
    ...{ csrf, again, ...problem, ...passkeyAction },
    action: `${base}/sign-in`,
    ...(appName === undefined ? {} : { appName }),
    username: (telling.username ?? loginHint).slice(0, 200),
    providers: (deps.upstreamLogins?.list() ?? []).map(({ name, label }) => ({
      label,
      href: `${base}/upstream/${encodeURIComponent(name)}`,
    })),
    ...(canCancel ? { cancelAction: `${base}/cancel` } : {}),
  })
}
