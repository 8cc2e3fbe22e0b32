import { ACCOUNT_PATHS, sessionsPage } from '../pages/account-pages.ts'
import type { Form } from '../pages/read-form.ts'
import { type AccountVisit, baseOf, goTo, type Told } from './create-account.ts'
import { deviceName } from './device-name.ts'

/** Where the user is signed in. */
export async function showSessions(visit: AccountVisit, told: Told = {}): Promise<void> {
  const { deps, response, frame, signedIn } = visit
  const sessions = (await deps.sessions.listOf(signedIn.user.id)).map((session) => {
    const device = session.device === undefined ? undefined : deviceName(session.device)
    return {
      id: session.id,
      current: session.id === signedIn.session.id,
      ...(device === undefined ? {} : { device }),
      ...(session.address === undefined ? {} : { address: session.address }),
      since: session.authTime,
      expiresAt: session.expiresAt,
    }
  })
  deps.pages.send(response, sessionsPage(frame, { ...baseOf(visit, told), sessions }), told.status)
}

/** Ends one of the user's own sessions, or all but this. */
export async function takeSessionEnd(
  visit: AccountVisit,
  which: 'one' | 'others',
  form: Form,
): Promise<void> {
  const { deps, signedIn, correlationId } = visit
  const userId = signedIn.user.id
  const own = await deps.sessions.listOf(userId)
  const ended = own.filter(({ id }) =>
    which === 'others' ? id !== signedIn.session.id : id === form.one('session'),
  )
  await Promise.all(ended.map(({ id }) => deps.endSession(id)))
  deps.onEvent?.({ kind: 'session-ended', correlationId, userId })
  goTo(visit, ACCOUNT_PATHS.sessions, which === 'others' ? 'sessions-ended' : 'session-ended')
}
