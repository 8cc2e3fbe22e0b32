import type { Passkeys, SignIn as SignInStep } from '@scopegate/identity'
import type { Pages } from '../pages/create-pages.ts'
import { passkeySignInPage } from '../pages/passkey-page.ts'
import type { Form } from '../pages/read-form.ts'
import type { PendingSignIn } from './pending-sign-in.ts'
import type { SignInVisit } from './sign-in.ts'

export type SignInPasskeys = Pick<Passkeys, 'beginSignIn' | 'finishSignIn'>

/**
 * A page that asks the browser for a passkey: as second factor of whoever has shown the password in
 * this browser, otherwise of anybody, who is then known by it.
 */
export async function askForPasskey(
  { response, frame, csrf, base }: SignInVisit,
  pending: PendingSignIn | undefined,
  { passkeys, pages }: { readonly passkeys: SignInPasskeys; readonly pages: Pages },
): Promise<void> {
  const options = await passkeys.beginSignIn(whose(pending))
  const action = `${base}/passkey-answer`
  const view = { csrf, action, restartAction: `${base}/restart`, options }
  pages.send(response, passkeySignInPage(frame, view), 200, pages.scriptHeaders)
}

/** Judges what the browser answered. */
export function takePasskey(
  form: Form,
  pending: PendingSignIn | undefined,
  { passkeys, address }: { readonly passkeys: SignInPasskeys; readonly address: string },
): Promise<SignInStep> {
  return passkeys.finishSignIn({ ...whose(pending), response: passkeyAnswer(form), address })
}

/** What a browser wrote into the form; `undefined` when it is nothing that could be judged. */
export function passkeyAnswer(form: Form): unknown {
  try {
    return JSON.parse(form.one('response') ?? '')
  } catch {
    return undefined
  }
}

function whose(pending: PendingSignIn | undefined): { readonly userId?: string } {
  return pending?.next === 'second-factor' ? { userId: pending.userId } : {}
}
