import { checkRegistration } from '@scopegate/authorization-server'
import { CONNECTIONS_SCOPE } from '@scopegate/token-broker'
import type { ConfiguredApi } from './configured-api.ts'
import type { ReferenceReader } from './reference-reader.ts'
import { registrationOf } from './registration-of.ts'
import type { Settings } from './settings.ts'

/** Whether clients can ask for tokens with which they use the connection through the sidecar. */
export function opensToCallers({
  upstream,
  callers,
}: {
  readonly upstream?: string | undefined
  readonly callers: readonly string[]
}): boolean {
  return upstream !== undefined && callers.length > 0
}

/** Where a member of a registration is in the file, if it has another name there. */
const SETTING_OF: Readonly<Record<string, string>> = { jwksUri: 'jwksUrl', dpopBound: 'dpop' }

/**
 * Reports what keeps the clients from being registered. Whether this server may reach the addresses
 * that it calls is judged when they are declared.
 */
export function checkClients(
  settings: Settings,
  apis: readonly ConfiguredApi[],
  reader: ReferenceReader,
): void {
  const apiScopes = [
    ...apis.flatMap(({ scopes }) => scopes.map(({ scope }) => scope)),
    ...(settings.connections.some(opensToCallers) ? [CONNECTIONS_SCOPE] : []),
  ]
  for (const [index, client] of settings.clients.entries()) {
    const anywhere = { allowLoopback: true, allowPrivateHosts: 'any' } as const
    for (const { member, why, fix } of checkRegistration(
      registrationOf(client),
      anywhere,
      apiScopes,
    ).problems) {
      reader.complain(['clients', index, SETTING_OF[member] ?? member], why, { fix })
    }
  }
}
