import type { Provider } from 'oidc-provider'
import type { AuthorizationServerDeps } from '../authorization-server-deps.ts'
import { sidOf } from './adapt-models.ts'

/** What the types of the engine leave out. */
interface BackchannelClient {
  backchannelLogout(sub: string, sid: string): Promise<unknown>
}

/**
 * Tells a client that its user has signed out: one of this server directly, others over HTTP where
 * they have registered an address for it.
 *
 * @see OpenID Connect Back-Channel Logout 1.0
 */
export function createTellClient(
  engine: () => Promise<Provider>,
  endAppSession: AuthorizationServerDeps['endAppSession'],
): (clientId: string, userId: string, grantId: string) => Promise<void> {
  return async (clientId, userId, grantId) => {
    const sid = sidOf(grantId)
    if (await endAppSession?.({ clientId, subject: userId, sid })) return
    const client = await (await engine()).Client.find(clientId)
    if (client?.backchannelLogoutUri === undefined) return
    await (client as unknown as BackchannelClient).backchannelLogout(userId, sid)
  }
}
