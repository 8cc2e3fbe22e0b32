import type { AdminEvent } from '@scopegate/audit'
import type { TokenRevoked } from '@scopegate/authorization-server'

/** Keeps that a client has ended a token or a grant of its own. */
export function recordRevocation(
  revoked: TokenRevoked,
  to: {
    readonly adminAudit: { record(event: AdminEvent): Promise<void> | undefined }
    readonly log: {
      info(fields: object, text: string): void
      error(fields: object, text: string): void
    }
    readonly issuer: string
  },
): void {
  const { atMs, correlationId, clientId, kind, grantId } = revoked
  to.log.info(revoked, 'token revoked')
  Promise.resolve(
    to.adminAudit.record({
      ...{ atMs, correlationId, clientId },
      issuer: to.issuer,
      action: 'token.revoke',
      target: grantId === undefined ? `client/${clientId}` : `grant/${grantId}`,
      decision: 'permitted',
      status: 200,
      detail: { kind },
    }),
  ).catch((error) => to.log.error({ error, correlationId }, 'audit of token.revoke failed'))
}
