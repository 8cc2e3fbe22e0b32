import { type ClientRegistration, defaultGrants } from '@scopegate/oauth-model'
import type { Settings } from './settings.ts'

type ClientSettings = Omit<Settings['clients'][number], 'secret' | 'secrets' | 'jwksFile'>

/** What a client of the configuration is registered with; keys from a file come beside it. */
export function registrationOf(client: ClientSettings): ClientRegistration {
  // Roles are the configuration's own: no registration over HTTP gives one.
  const { id, name, grants, scopes, jwksUrl, dpop, roles: _, ...same } = client
  const given = Object.entries(same).filter(([, value]) => value !== undefined)
  return {
    ...(Object.fromEntries(given) as Partial<ClientRegistration>),
    name: name ?? id,
    scopes,
    grants: grants ?? defaultGrants(scopes, client.redirectUris),
    dpopBound: dpop,
    ...(jwksUrl !== undefined && { jwksUri: jwksUrl }),
  }
}
