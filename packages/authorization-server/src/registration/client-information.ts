import type { Client } from '../clients/client.ts'

/**
 * A client as the registration endpoint tells it. The secret is in it only when it was just made:
 * this server keeps a hash.
 *
 * @see RFC 7591 §3.2.1, RFC 7592 §3
 */
export function clientInformation(
  client: Client,
  authMethod: string,
  access: { readonly url: string; readonly token: string },
  clientSecret: string | undefined,
): Record<string, unknown> {
  const members = {
    client_id: client.id,
    client_id_issued_at: client.createdAt,
    client_secret: clientSecret,
    client_secret_expires_at: clientSecret === undefined ? undefined : 0,
    registration_access_token: access.token,
    registration_client_uri: access.url,
    client_name: client.name,
    scope: client.scopes,
    grant_types: client.grants,
    response_types: client.grants.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: authMethod,
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris:
      client.postLogoutRedirectUris.length > 0 ? client.postLogoutRedirectUris : undefined,
    application_type: client.native ? 'native' : 'web',
    jwks: client.jwks,
    jwks_uri: client.jwksUri,
    launch_url: client.launchUrl,
    backchannel_logout_uri: client.backchannelLogoutUri,
    dpop_bound_access_tokens: client.dpopBound,
    require_pushed_authorization_requests: client.requirePar,
    logo_uri: client.logoUri,
    client_uri: client.clientUri,
    policy_uri: client.policyUri,
    tos_uri: client.tosUri,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
