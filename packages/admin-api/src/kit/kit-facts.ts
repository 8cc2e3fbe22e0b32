import type { ClientView } from '@scopegate/oauth-model'
import { parseScopes } from '@scopegate/smart-scopes'

/** Where a client finds what it needs. */
export interface ServerAddresses {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly deviceEndpoint: string
  /** The base URL of the FHIR endpoint. */
  readonly fhir: string
}

/** What a kit is made of. */
export interface KitFacts {
  readonly client: ClientView
  readonly addresses: ServerAddresses
  /** Scopes that a token by client credentials can have; empty without that grant. */
  readonly programScopes: string
  /** Scopes of a token with a user; empty without such a grant. */
  readonly userScopes: string
  /** Paths below the FHIR base that the scopes let a client search. */
  readonly programReads: readonly string[]
  readonly userReads: readonly string[]
  /** A type that the scopes of the program are about. */
  readonly programType: string | undefined
  /** Where the user comes back to. */
  readonly redirectUri: string | undefined
}

/** Stands where the secret goes, when it is not known any more. */
export const SECRET_PLACEHOLDER = 'PUT-THE-CLIENT-SECRET-HERE'

/** Where Postman gets the answer when the login runs in the browser of the user. */
export const POSTMAN_CALLBACK = 'https://oauth.pstmn.io/v1/callback'

const MAX_READS = 4

/** Sorts what a client is registered for by the way it gets tokens. */
export function kitFacts(client: ClientView, addresses: ServerAddresses): KitFacts {
  const scopes = client.scopes.split(' ')
  const program = client.grants.includes('client_credentials')
    ? scopes.filter((scope) => scope.startsWith('system/'))
    : []
  const user = hasUser(client)
    ? scopes.filter((scope) => !/^(?:system|admin)\//.test(scope) && scope !== 'launch')
    : []
  return {
    client,
    addresses,
    programScopes: program.join(' '),
    userScopes: user.join(' '),
    programReads: readsOf(program),
    userReads: readsOf(user),
    programType: typesOf(program)[0],
    redirectUri: client.redirectUris.includes(POSTMAN_CALLBACK)
      ? POSTMAN_CALLBACK
      : client.redirectUris[0],
  }
}

/** Whether users sign in for this client. */
export function hasUser({ grants }: ClientView): boolean {
  return grants.includes('authorization_code') || usesDevice({ grants } as ClientView)
}

export function usesDevice({ grants }: ClientView): boolean {
  return grants.includes('urn:ietf:params:oauth:grant-type:device_code')
}

/** `Observation?_count=5` for each type that the scopes let a client search. */
function readsOf(scopes: readonly string[]): string[] {
  return typesOf(scopes, 's')
    .slice(0, MAX_READS)
    .map((type) => `${type}?_count=5`)
}

/** The types that the scopes are about, those with the letter if one is given. */
function typesOf(scopes: readonly string[], letter?: 's'): string[] {
  const types = parseScopes(scopes.join(' ')).scopes.flatMap((scope) => {
    if (scope.kind !== 'resource') return []
    if (letter !== undefined && !scope.letters.includes(letter)) return []
    return scope.type === '*' ? ['Patient', 'Observation'] : [scope.type]
  })
  return [...new Set(types)]
}
