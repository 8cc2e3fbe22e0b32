import type { PasswordChange } from '@scopegate/identity'
import {
  ACCOUNT_PATHS,
  factorSetupPage,
  recoveryCodesPage,
  securityPage,
} from '../pages/account-pages.ts'
import { changePasswordPage } from '../pages/change-password-page.ts'
import type { Form } from '../pages/read-form.ts'
import { type AccountVisit, baseOf, goTo, type Told } from './create-account.ts'

/** How the user signs in. */
export async function showSecurity(visit: AccountVisit, told: Told = {}): Promise<void> {
  const { deps, frame, signedIn } = visit
  const { hasPassword, secondFactors, username } = signedIn.user
  const view = {
    ...baseOf(visit, told),
    username,
    hasPassword,
    hasTotp: secondFactors.includes('totp'),
    ...(deps.passkeys && { passkeys: await deps.passkeys.listOf(signedIn.user.id) }),
  }
  send(visit, securityPage(frame, view), told)
}

export function showPassword(visit: AccountVisit, told: Told = {}): void {
  const { deps, frame, csrf, signedIn } = visit
  const page = changePasswordPage(frame, {
    csrf,
    action: ACCOUNT_PATHS.password,
    username: signedIn.user.username,
    forced: false,
    leastCharacters: deps.minPasswordCharacters ?? 12,
    backHref: ACCOUNT_PATHS.security,
    ...(told.problem === undefined ? {} : { problem: told.problem }),
  })
  send(visit, page, told)
}

/** Changes the password; this browser stays signed in, with a new session, all others do not. */
export async function takePassword(visit: AccountVisit, form: Form): Promise<void> {
  const { deps, frame, signedIn, request, correlationId } = visit
  const { words: t } = frame
  const former = form.one('current') ?? ''
  const password = form.one('new') ?? ''
  if (password !== form.one('repeat')) {
    return showPassword(visit, { problem: t('password.differ'), status: 422 })
  }
  if (password === former) {
    return showPassword(visit, { problem: t('password.same'), status: 422 })
  }
  const userId = signedIn.user.id
  const address = deps.clientAddress(request)
  const change = await deps.users.changePassword({ userId, former, password, address })
  if (change.kind !== 'done') return showPassword(visit, toldOf(visit, change))
  deps.onEvent?.({ kind: 'password-changed', correlationId, userId })
  await goOnSignedIn(visit)
  goTo(visit, ACCOUNT_PATHS.security, 'password-saved')
}

function toldOf({ frame }: AccountVisit, change: Exclude<PasswordChange, { kind: 'done' }>): Told {
  const { words: t } = frame
  switch (change.kind) {
    case 'refused':
      return { problem: t('password.wrong'), status: 403 }
    case 'wait':
      return waiting(frame.words, change.retryAfterSeconds)
    case 'unfit': {
      const reason = `${change.why}; ${change.fix}`
      return { problem: t('password.refused', { reason }), status: 422 }
    }
  }
}

function waiting(t: AccountVisit['frame']['words'], retryAfterSeconds: number): Told {
  const problem = t('signIn.wait', { time: t.duration(retryAfterSeconds) })
  return { problem, status: 429, retryAfterSeconds }
}

/** Sets up, confirms or removes the authenticator app; a stolen session alone can do neither. */
export async function takeFactor(visit: AccountVisit, action: string, form: Form): Promise<void> {
  if (action === 'confirm') return confirmFactor(visit, form)
  if (!(await provePassword(visit, form))) return
  const { deps, frame, signedIn, correlationId } = visit
  const { user } = signedIn
  if (action === 'begin') {
    const setup = await deps.users.beginTotp(user.id)
    if (!setup.ok) return showSecurity(visit, { problem: setup.why, status: setup.status })
    return send(visit, factorSetupPage(frame, { ...baseOf(visit, {}), ...setup }), {})
  }
  const removed = await deps.users.removeSecondFactors(user.id)
  if (!removed.ok) return showSecurity(visit, { problem: removed.why, status: removed.status })
  deps.onEvent?.({ kind: 'second-factor-removed', correlationId, userId: user.id })
  await goOnSignedIn(visit)
  goTo(visit, ACCOUNT_PATHS.security, 'factor-removed')
}

/** Whether the form holds the user's password; if it does not, the page that says so was sent. */
export async function provePassword(visit: AccountVisit, form: Form): Promise<boolean> {
  const { deps, frame, request } = visit
  const { id, username } = visit.signedIn.user
  const proof = await deps.users.authenticate({
    username,
    password: form.one('password') ?? '',
    address: deps.clientAddress(request),
  })
  if (proof.kind === 'wait') {
    await showSecurity(visit, waiting(frame.words, proof.retryAfterSeconds))
    return false
  }
  if (proof.kind === 'refused' || proof.user.id !== id) {
    await showSecurity(visit, { problem: frame.words('password.wrong'), status: 403 })
    return false
  }
  return true
}

async function confirmFactor(visit: AccountVisit, form: Form): Promise<void> {
  const { deps, frame, signedIn, correlationId } = visit
  const userId = signedIn.user.id
  const code = (form.one('code') ?? '').replaceAll(/\s/g, '')
  const confirmed = await deps.users.confirmTotp(userId, code)
  if (confirmed.ok) {
    deps.onEvent?.({ kind: 'second-factor-added', correlationId, userId })
    return send(visit, recoveryCodesPage(frame, { codes: confirmed.recoveryCodes }), {})
  }
  const secret = form.one('secret') ?? ''
  const uri = form.one('uri') ?? ''
  // Shown again as it was sent to this browser before; it is looked at nowhere else.
  if (!/^[A-Z2-7]{16,128}$/.test(secret) || !uri.startsWith('otpauth://totp/')) {
    return showSecurity(visit, { problem: frame.words('account.factorWrong'), status: 422 })
  }
  const problem = frame.words('account.factorWrong')
  send(visit, factorSetupPage(frame, { ...baseOf(visit, { problem }), secret, uri }), {
    status: 422,
  })
}

/** Changes of how a user signs in end all sessions; whoever made one goes on with a new one. */
async function goOnSignedIn({ deps, request, response, signedIn }: AccountVisit): Promise<void> {
  const { userId, amr } = signedIn.session
  await deps.signIn.begin(request, response, { userId, amr })
}

function send({ deps, response }: AccountVisit, page: string, told: Told): void {
  const wait = told.retryAfterSeconds
  const headers = wait === undefined ? undefined : { 'Retry-After': String(Math.ceil(wait)) }
  deps.pages.send(response, page, told.status, headers)
}
