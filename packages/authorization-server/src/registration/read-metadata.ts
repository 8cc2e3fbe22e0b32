import type { ClientRegistration, RegistrationPolicy } from '@scopegate/oauth-model'
import { scopeProblem } from '../clients/registrable-scope.ts'
import { MetadataRefused } from './metadata-refused.ts'
import { REGISTRABLE_AUTH_METHODS } from './registration-tokens.ts'

type Metadata = Readonly<Record<string, unknown>>

/** A registration as its client sent it, and how it wants to authenticate. */
export interface WantedRegistration {
  readonly registration: ClientRegistration
  readonly authMethod: (typeof REGISTRABLE_AUTH_METHODS)[number]
}

/**
 * Reads client metadata, with the defaults of the RFC; without `scope`, every scope of the policy
 * that fits the grants. Members that this server does not know mean nothing to it, as the RFC asks.
 * Whether the values may stand is for `checkRegistration` and the policy.
 *
 * @throws {MetadataRefused} @see RFC 7591 §2
 */
export function readMetadata(
  metadata: Metadata,
  policy: RegistrationPolicy,
  apiScopes: readonly string[] = [],
): WantedRegistration {
  if (metadata.software_statement !== undefined) {
    throw new MetadataRefused(
      'unapproved_software_statement',
      'software_statement: none is accepted here; send the metadata themselves',
    )
  }
  const grants = texts(metadata, 'grant_types') ?? ['authorization_code']
  checkResponseTypes(texts(metadata, 'response_types'), grants)
  const authMethod = readAuthMethod(metadata)
  const redirectUris = texts(metadata, 'redirect_uris') ?? []
  const addresses = {
    jwksUri: text(metadata, 'jwks_uri'),
    launchUrl: text(metadata, 'launch_url'),
    backchannelLogoutUri: text(metadata, 'backchannel_logout_uri'),
    logoUri: text(metadata, 'logo_uri'),
    clientUri: text(metadata, 'client_uri'),
    policyUri: text(metadata, 'policy_uri'),
    tosUri: text(metadata, 'tos_uri'),
    postLogoutRedirectUris: texts(metadata, 'post_logout_redirect_uris'),
    dpopBound: flag(metadata, 'dpop_bound_access_tokens'),
    requirePar: flag(metadata, 'require_pushed_authorization_requests'),
    jwks: metadata.jwks,
  }
  const given = Object.entries(addresses).filter(([, value]) => value !== undefined)
  return {
    authMethod,
    registration: {
      name: text(metadata, 'client_name') ?? 'Client without a name',
      scopes: text(metadata, 'scope') ?? scopesFor(grants, policy, apiScopes),
      grants,
      redirectUris,
      public: authMethod === 'none',
      ...Object.fromEntries(given),
    },
  }
}

function readAuthMethod(metadata: Metadata): WantedRegistration['authMethod'] {
  const method = text(metadata, 'token_endpoint_auth_method') ?? 'client_secret_basic'
  const known = REGISTRABLE_AUTH_METHODS.find((each) => each === method)
  if (known === undefined) {
    throw refused('token_endpoint_auth_method', `use one of ${REGISTRABLE_AUTH_METHODS.join(', ')}`)
  }
  const hasKeys = metadata.jwks !== undefined || metadata.jwks_uri !== undefined
  if (known === 'private_key_jwt' && !hasKeys) {
    throw refused('token_endpoint_auth_method', 'private_key_jwt needs jwks or jwks_uri')
  }
  if (known !== 'private_key_jwt' && hasKeys) {
    throw refused('token_endpoint_auth_method', 'with jwks or jwks_uri use private_key_jwt')
  }
  return known
}

function checkResponseTypes(types: readonly string[] | undefined, grants: readonly string[]) {
  const wanted = grants.includes('authorization_code') ? ['code'] : []
  if (types === undefined || types.join(' ') === wanted.join(' ')) return
  throw refused('response_types', `with these grant_types it is ${JSON.stringify(wanted)}`)
}

function scopesFor(
  grants: readonly string[],
  policy: RegistrationPolicy,
  apiScopes: readonly string[],
): string {
  return policy.scopes
    .split(' ')
    .filter((scope) => scopeProblem(scope, grants, apiScopes) === undefined)
    .join(' ')
}

function text(metadata: Metadata, name: string): string | undefined {
  const value = metadata[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw refused(name, 'must be a string')
}

function texts(metadata: Metadata, name: string): readonly string[] | undefined {
  const value = metadata[name]
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw refused(name, 'must be an array of strings')
}

function flag(metadata: Metadata, name: string): boolean | undefined {
  const value = metadata[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value
  throw refused(name, 'must be true or false')
}

function refused(member: string, why: string): MetadataRefused {
  const error = member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return new MetadataRefused(error, `${member}: ${why}`)
}
