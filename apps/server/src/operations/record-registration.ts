import type { AdminEvent } from '@scopegate/audit'
import type { RegistrationEvent } from '@scopegate/authorization-server'

/**
 * Keeps what happened at the registration endpoint. Callers whom no token makes known go to the log
 * only, so that nobody can fill the audit from outside.
 */
export async function recordRegistration(
  event: RegistrationEvent,
  to: {
    readonly adminAudit: { record(event: AdminEvent): Promise<void> | undefined }
    readonly log: { info(fields: object, text: string): void }
    readonly issuer: string
  },
): Promise<void> {
  const { action, status, clientId, tokenId, error, description } = event
  if (error !== undefined) to.log.info(event, 'registration refused')
  if (action === 'client.read' || (clientId === undefined && tokenId === undefined)) return
  await to.adminAudit.record({
    atMs: event.atMs,
    correlationId: event.correlationId,
    issuer: to.issuer,
    action,
    decision: error === undefined ? 'permitted' : 'refused',
    status,
    ...(clientId !== undefined && { clientId, target: `client/${clientId}` }),
    detail: {
      by: tokenId === undefined ? 'the client itself' : `registration-token/${tokenId}`,
      ...(description !== undefined && { description }),
    },
  })
}
