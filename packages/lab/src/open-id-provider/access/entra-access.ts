import { namesOf, stable, stableUuid } from '../flavours/flavour.ts'
import {
  type AccessFlavour,
  type AccessRequest,
  type AskedAccess,
  type LabApi,
  type LabGrant,
  OPENID_SCOPES,
  words,
} from './access-flavour.ts'
import { refuseAsEntra } from './entra-problems.ts'
import type { TokenProblem } from './token-problem.ts'

const GRAPH = '00000003-0000-0000-c000-000000000000'

/**
 * Microsoft Entra ID. Which version a token has is decided by the manifest of its API, so that one
 * lab issues both. @param version what APIs get that are not registered.
 */
export function entraAccess(version: '1.0' | '2.0'): AccessFlavour {
  const versionOf = (api: LabApi | undefined) => api?.version ?? version
  return {
    seconds: 3599,
    // Entra has neither introspection nor revocation.
    paths: () => ({}),
    issuer: ({ origin, tenant, api }) =>
      versionOf(api) === '1.0' ? `${origin}/${tenant}/` : `${origin}/${tenant}/v2.0`,
    grants: ['client_credentials'],
    assertions: { tokenEndpointOnly: true, needsId: true, maxSeconds: 600 },
    ask: (request) => ask(request, versionOf),
    make: (grant) =>
      versionOf(grant.api) === '1.0'
        ? {
            header: { typ: 'JWT', x5t: stable(grant.tenant, 'base64url').slice(0, 27) },
            claims: v1(grant),
          }
        : { header: { typ: 'JWT' }, claims: v2(grant) },
    answer: ({ user, scopes, api }) => ({
      ext_expires_in: 3599,
      ...(user === undefined
        ? {}
        : { scope: scopes.map((name) => `${api?.uri}/${name}`).join(' ') }),
    }),
    refuse: refuseAsEntra,
    redirectPage: (redirectUri, clientId) =>
      `AADSTS50011: The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${clientId}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this.`,
  }
}

function ask(
  { form, path, authorized, apis }: AccessRequest,
  versionOf: (api: LabApi) => string,
): AskedAccess | TokenProblem {
  const isV2 = path.includes('/v2.0/')
  const resource = form.get('resource') ?? undefined
  if (isV2 && resource !== undefined) return { problem: 'scope_form', value: 'resource' }
  const asked = words(authorized?.scope ?? form.get('scope'))
  const names = isV2 ? asked.filter((scope) => !OPENID_SCOPES.has(scope)) : []
  if (authorized === undefined) {
    const [only = '', ...more] = isV2
      ? names
      : [resource === undefined ? '' : `${resource}/.default`]
    if (only === '') {
      return { problem: isV2 ? 'scope_missing' : 'resource_missing' }
    }
    if (more.length > 0 || !only.endsWith('/.default')) {
      return { problem: 'scope_form', value: names.join(' ') }
    }
    return found(only.slice(0, -'/.default'.length), [])
  }
  const uri = resource ?? names[0]?.replace(/\/[^/]*$/, '')
  if (uri === undefined) return { scopes: ['User.Read'], audience: GRAPH }
  const own = names.filter((name) => name.startsWith(`${uri}/`))
  if (own.length < names.length) return { problem: 'scope_form', value: names.join(' ') }
  return found(
    uri,
    own.map((name) => name.slice(uri.length + 1)),
  )

  function found(uri: string, scopes: readonly string[]): AskedAccess | TokenProblem {
    const known = apis?.find((api) => api.uri === uri || api.id === uri)
    if (apis !== undefined && known === undefined)
      return { problem: 'resource_unknown', value: uri }
    const api = known ?? { uri }
    const audience = versionOf(api) === '1.0' ? uri : entraApiId(api)
    return { scopes, audience, api }
  }
}

/** The client ID of the registration of an API: the audience of its v2 tokens. */
export function entraApiId({ id, uri }: LabApi): string {
  const [guid] = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(uri) ?? []
  return id ?? guid ?? stableUuid(uri)
}

function common({
  client,
  user,
  issuer,
  audience,
  now,
  expiresAt,
  tenant,
  id,
  ...grant
}: LabGrant) {
  const object = stableUuid(user?.id ?? `service principal ${client.clientId}`)
  return {
    aud: audience,
    iss: issuer,
    iat: now - 300,
    nbf: now - 300,
    exp: expiresAt,
    aio: `E2${stable(id, 'base64url')}==`,
    oid: object,
    rh: `1.${stable(object, 'base64url').slice(0, 30)}.`,
    ...(grant.roles.length > 0 ? { roles: grant.roles } : {}),
    ...(user === undefined ? {} : { scp: grant.scopes.join(' '), sid: grant.sessionId }),
    // The subject of a user is another one for each API.
    sub: user === undefined ? object : stable(`${user.id} ${String(audience)}`, 'base64url'),
    tid: tenant,
    uti: stable(id, 'base64url').slice(0, 22),
  }
}

const PROOFS = { none: '0', secret: '1', key: '2' } as const

function v2(grant: LabGrant) {
  const { client, user, proof } = grant
  return {
    ...common(grant),
    azp: client.clientId,
    azpacr: PROOFS[proof],
    ...(user === undefined ? {} : { name: user.name, preferred_username: user.email }),
    ver: '2.0',
  }
}

function v1(grant: LabGrant) {
  const { client, user, proof, issuer } = grant
  return {
    ...common(grant),
    appid: client.clientId,
    appidacr: PROOFS[proof],
    ...(user === undefined
      ? { idp: issuer }
      : {
          acr: '1',
          amr: ['pwd', 'mfa'],
          ...namesOf(user),
          name: user.name,
          unique_name: user.email,
          upn: user.email,
        }),
    ver: '1.0',
  }
}
