import { claim, type LabFlavour, stable, stableUuid } from './flavour.ts'

const OVERAGE = 200

/**
 * Microsoft Entra ID with both generations of its addresses, of which the base tells: no `email_verified`, a subject per application, groups left out
 * when there are too many. `employeeId` stands for an optional claim that was configured.
 */
export const entra: LabFlavour = {
  label: 'Microsoft Entra ID',
  issuerPath: '/11111111-2222-4333-8444-555555555555/v2.0',
  hasTenants: true,
  keysWithoutAlgorithm: true,
  paths: (base) => {
    const tenant = base.replace(/\/v2\.0$/, '')
    if (tenant === base) {
      return {
        authorize: `${tenant}/oauth2/authorize`,
        token: `${tenant}/oauth2/token`,
        keys: `${tenant}/discovery/keys`,
        userInfo: `${tenant}/openid/userinfo`,
        endSession: `${tenant}/oauth2/logout`,
      }
    }
    return {
      authorize: `${tenant}/oauth2/v2.0/authorize`,
      token: `${tenant}/oauth2/v2.0/token`,
      keys: `${tenant}/discovery/v2.0/keys`,
      userInfo: `${tenant}/oidc/userinfo`,
      endSession: `${tenant}/oauth2/v2.0/logout`,
    }
  },
  subject: (user, clientId) => stable(`${user.id} ${clientId}`, 'base64url'),
  idToken: ({ user, tenant, sessionId, issuer }) => ({
    name: user.name,
    oid: stableUuid(user.id),
    ...(isV2(issuer)
      ? { preferred_username: user.email }
      : { upn: user.email, unique_name: user.email }),
    email: user.email,
    ...(user.emailVerified ? { xms_edov: true } : {}),
    ...claim('employeeId', user.employeeId),
    ...claim('roles', user.roles),
    ...groupsOf(user.groups, user.id),
    rh: `1.${stable(user.id, 'base64url').slice(0, 30)}.`,
    sid: sessionId,
    tid: tenant,
    uti: stable(sessionId, 'base64url').slice(0, 22),
    ver: isV2(issuer) ? '2.0' : '1.0',
  }),
  userInfo: ({ user }) => ({ name: user.name, email: user.email }),
  tokenAnswer: () => ({ ext_expires_in: 3599 }),
  answer: ({ sessionId }) => ({ session_state: stableUuid(sessionId) }),
  metadata: {
    token_endpoint_auth_methods_supported: [
      'client_secret_post',
      'private_key_jwt',
      'client_secret_basic',
    ],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    request_uri_parameter_supported: false,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    tenant_region_scope: 'EU',
    cloud_instance_name: 'microsoftonline.com',
  },
}

/** The same directory, started as an issuer of v1.0 tokens. */
export const entraV1: LabFlavour = { ...entra, issuerPath: entra.issuerPath.replace('v2.0', '') }

function isV2(issuer: string): boolean {
  return issuer.endsWith('/v2.0')
}

function groupsOf(groups: readonly string[] | undefined, id: string) {
  if (groups === undefined) return {}
  if (groups.length <= OVERAGE) return { groups }
  return {
    _claim_names: { groups: 'src1' },
    _claim_sources: {
      src1: { endpoint: `https://graph.microsoft.com/v1.0/users/${id}/getMemberObjects` },
    },
  }
}
