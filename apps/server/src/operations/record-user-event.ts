import type { AdminEvent } from '@scopegate/audit'
import type { AccountEvent, InteractionEvent } from '@scopegate/authorization-server'

/** What somebody did on a page. */
export type UserEvent = AccountEvent | InteractionEvent

/** What failed before anybody was known goes to the log only: nobody fills the audit from outside. */
const REFUSED: ReadonlySet<UserEvent['kind']> = new Set(['sign-in-refused', 'launch-refused'])

/**
 * Keeps who signed in, what was granted to whom, and what was taken back. A failure is logged: what
 * the user did has happened.
 */
export function recordUserEvent(
  event: UserEvent,
  to: {
    readonly adminAudit: { record(event: AdminEvent): Promise<void> | undefined }
    readonly log: {
      info(fields: object, text: string): void
      error(fields: object, text: string): void
    }
    readonly issuer: string
    readonly nowMs: () => number
  },
): void {
  const { kind, correlationId, userId, clientId, ...detail } = event
  const isRefused = REFUSED.has(kind) || kind === 'denied'
  to.log.info({ correlationId, userId, clientId, reason: reasonOf(event) }, `user: ${kind}`)
  if (userId === undefined || REFUSED.has(kind)) return
  Promise.resolve(
    to.adminAudit.record({
      atMs: to.nowMs(),
      correlationId,
      issuer: to.issuer,
      subject: userId,
      ...(clientId !== undefined && { clientId, target: `client/${clientId}` }),
      action: `user.${kind}`,
      decision: isRefused ? 'refused' : 'permitted',
      status: isRefused ? 403 : 200,
      detail,
    }),
  ).catch((error) => to.log.error({ error, correlationId }, `audit of user.${kind} failed`))
}

function reasonOf(event: UserEvent): string | undefined {
  return 'reason' in event ? event.reason : undefined
}
