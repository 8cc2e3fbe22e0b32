import {
  type ClientChange,
  type ClientRegistration,
  type ClientView,
  defaultGrants,
  type NewClient,
} from '@scopegate/oauth-model'
import { AdminProblem } from '../problem.ts'
import { textMember } from '../read-json.ts'

type Members = Readonly<Record<string, unknown>>
type Read = (members: Members, name: string) => unknown

/** The members of a client on the wire; those of RFC 7591 and OpenID registration as they spell them. */
const MEMBERS: Readonly<
  Record<string, { readonly as: keyof ClientRegistration; readonly read: Read }>
> = {
  name: { as: 'name', read: text },
  scopes: { as: 'scopes', read: scopes },
  grants: { as: 'grants', read: texts },
  public: { as: 'public', read: flag },
  jwks: { as: 'jwks', read: keySet },
  jwks_uri: { as: 'jwksUri', read: text },
  redirect_uris: { as: 'redirectUris', read: texts },
  post_logout_redirect_uris: { as: 'postLogoutRedirectUris', read: texts },
  launch_url: { as: 'launchUrl', read: text },
  origins: { as: 'origins', read: texts },
  dpop_bound_access_tokens: { as: 'dpopBound', read: flag },
  require_pushed_authorization_requests: { as: 'requirePar', read: flag },
  backchannel_logout_uri: { as: 'backchannelLogoutUri', read: text },
  logo_uri: { as: 'logoUri', read: text },
  client_uri: { as: 'clientUri', read: text },
  policy_uri: { as: 'policyUri', read: text },
  tos_uri: { as: 'tosUri', read: text },
  consent: { as: 'consent', read: text },
  access_token_seconds: { as: 'accessTokenSeconds', read: seconds },
  refresh_token_seconds: { as: 'refreshTokenSeconds', read: seconds },
}

export const CLIENT_MEMBERS = Object.keys(MEMBERS)

/** What the members say of a new client. @throws {AdminProblem} 400 for a member of another type. */
export function readNewClient(members: Members): NewClient {
  const name = textMember(members, 'name')
  const scopeText = scopes(members, 'scopes')
  const registration = readPresent(members) as Partial<ClientRegistration>
  return {
    ...registration,
    name,
    scopes: scopeText,
    grants: registration.grants ?? defaultGrants(scopeText, registration.redirectUris ?? []),
    ...(members.client_id !== undefined && { clientId: textMember(members, 'client_id') }),
  }
}

/** What the members change; `null` goes back to the default. @throws {AdminProblem} 400 */
export function readClientChange(members: Members): ClientChange {
  return {
    ...readPresent(members),
    ...(members.disabled !== undefined && { disabled: flag(members, 'disabled') }),
  }
}

function readPresent(members: Members): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(MEMBERS)) {
    if (members[name] === null) read[member.as] = null
    else if (members[name] !== undefined) read[member.as] = member.read(members, name)
  }
  return read
}

/** A client as JSON; members without a value are left out. */
export function clientToWire(client: ClientView): Record<string, unknown> {
  const { clientId, name, source, grants, scopes, authentication, disabled, createdAt } = client
  const rest = Object.entries(MEMBERS).flatMap(([wire, { as }]) => {
    const value = (client as unknown as Members)[as]
    return value === undefined ? [] : [[wire, value]]
  })
  return {
    client_id: clientId,
    name,
    source,
    grants,
    scopes,
    authentication,
    disabled,
    created_at: createdAt,
    ...Object.fromEntries(rest),
    ...(client.keyIds && { key_ids: client.keyIds }),
    ...(client.secrets && {
      secrets: client.secrets.map(({ expiresAt }) =>
        expiresAt === undefined ? {} : { expires_at: expiresAt },
      ),
    }),
  }
}

function text(members: Members, name: string): string {
  return textMember(members as Record<string, unknown>, name)
}

function texts(members: Members, name: string): string[] {
  const value = members[name]
  const list = typeof value === 'string' ? value.split(/[\s,]+/) : value
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list
  throw new AdminProblem(400, `\`${name}\` must be a list of texts`)
}

function scopes(members: Members, name: string): string {
  return Array.isArray(members[name]) ? texts(members, name).join(' ') : text(members, name)
}

function flag(members: Members, name: string): boolean {
  const value = members[name]
  if (typeof value === 'boolean') return value
  throw new AdminProblem(400, `\`${name}\` must be true or false`)
}

function seconds(members: Members, name: string): number {
  const value = members[name]
  if (typeof value === 'number') return value
  throw new AdminProblem(400, `\`${name}\` must be a number of seconds`)
}

function keySet(members: Members, name: string): unknown {
  const value = members[name]
  if (value !== null && typeof value === 'object') return value
  throw new AdminProblem(400, `\`${name}\` must be a JWK set`, 'send {"keys": [ … ]}')
}
