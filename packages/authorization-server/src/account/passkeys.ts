import { passkeyAnswer } from '../interaction/passkey-sign-in.ts'
import { ACCOUNT_PATHS, recoveryCodesPage } from '../pages/account-pages.ts'
import { passkeySetupPage } from '../pages/passkey-page.ts'
import type { Form } from '../pages/read-form.ts'
import { type AccountVisit, goTo } from './create-account.ts'
import { provePassword, showSecurity } from './security.ts'

/** Adds or removes a passkey; a stolen session alone can do neither. */
export async function takePasskeys(visit: AccountVisit, action: string, form: Form): Promise<void> {
  if (visit.deps.passkeys === undefined) return showSecurity(visit, { status: 404 })
  if (action === 'confirm') return confirmPasskey(visit, form)
  if (!(await provePassword(visit, form))) return
  return action === 'begin' ? beginPasskey(visit) : removePasskey(visit, form)
}

async function beginPasskey(visit: AccountVisit): Promise<void> {
  const { deps, response, frame, csrf, signedIn } = visit
  const begun = await deps.passkeys!.beginRegistration(signedIn.user.id)
  if (!begun.ok) return showSecurity(visit, { problem: begun.why, status: begun.status })
  const view = { csrf, action: `${ACCOUNT_PATHS.passkeys}/confirm`, options: begun.options }
  const page = passkeySetupPage(frame, { ...view, backHref: ACCOUNT_PATHS.security })
  deps.pages.send(response, page, 200, deps.pages.scriptHeaders)
}

async function confirmPasskey(visit: AccountVisit, form: Form): Promise<void> {
  const { deps, response, frame, signedIn, correlationId } = visit
  const userId = signedIn.user.id
  const made = await deps.passkeys!.finishRegistration({
    userId,
    name: form.one('name') ?? '',
    // Its challenge was issued to this user, behind the password.
    response: passkeyAnswer(form),
  })
  if (!made.ok) {
    return showSecurity(visit, { problem: frame.words('passkey.notMade'), status: made.status })
  }
  deps.onEvent?.({ kind: 'second-factor-added', correlationId, userId })
  const { recoveryCodes: codes } = made
  if (codes === undefined) return goTo(visit, ACCOUNT_PATHS.security, 'passkey-added')
  const done = frame.words('passkey.added')
  deps.pages.send(response, recoveryCodesPage(frame, { codes, done }))
}

async function removePasskey(visit: AccountVisit, form: Form): Promise<void> {
  const { deps, frame, signedIn, correlationId } = visit
  const userId = signedIn.user.id
  if (!(await deps.passkeys!.remove(userId, form.one('passkey') ?? ''))) {
    return showSecurity(visit, { problem: frame.words('passkey.gone'), status: 404 })
  }
  deps.onEvent?.({ kind: 'second-factor-removed', correlationId, userId })
  // As with every change of how a user signs in: whoever else is signed in has to do it again.
  const others = await deps.sessions.listOf(userId)
  await Promise.all(
    others.filter(({ id }) => id !== signedIn.session.id).map(({ id }) => deps.endSession(id)),
  )
  goTo(visit, ACCOUNT_PATHS.security, 'passkey-removed')
}
