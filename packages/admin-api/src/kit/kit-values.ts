import type { KitFacts } from './kit-facts.ts'

/** The values that the files of a kit refer to by name; the secret is not among them. */
export function kitValues(facts: KitFacts): Readonly<Record<string, string>> {
  const { client, addresses, programScopes, userScopes, redirectUri } = facts
  return {
    issuer: addresses.issuer,
    fhir_url: addresses.fhir,
    token_url: addresses.tokenEndpoint,
    authorize_url: addresses.authorizationEndpoint,
    client_id: client.clientId,
    ...(programScopes !== '' && { scope: programScopes }),
    ...(userScopes !== '' && { user_scope: userScopes }),
    ...(redirectUri !== undefined && { redirect_uri: redirectUri }),
  }
}
