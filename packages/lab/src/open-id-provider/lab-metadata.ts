import type { AccessFlavour } from './access/access-flavour.ts'
import type { FlavourPaths, LabFlavour } from './flavours/flavour.ts'

/** The discovery document. @see OpenID Connect Discovery 1.0 §3 */
export function labMetadata(options: {
  readonly flavour: LabFlavour
  readonly origin: string
  readonly issuer: string
  readonly paths: FlavourPaths
  readonly access: ReturnType<AccessFlavour['paths']>
  /** What ID tokens are signed with. */
  readonly alg: string
}): object {
  const { flavour, origin, issuer, paths, access, alg } = options
  return {
    issuer,
    authorization_endpoint: `${origin}${paths.authorize}`,
    token_endpoint: `${origin}${paths.token}`,
    userinfo_endpoint: `${origin}${paths.userInfo}`,
    jwks_uri: `${origin}${paths.keys}`,
    ...(paths.endSession === '' ? {} : { end_session_endpoint: `${origin}${paths.endSession}` }),
    ...endpoint('introspection_endpoint', access.introspection),
    ...endpoint('revocation_endpoint', access.revocation),
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    scopes_supported: ['openid', 'profile', 'email'],
    id_token_signing_alg_values_supported: [alg],
    ...flavour.metadata,
  }

  function endpoint(name: string, path: string | undefined): object {
    return path === undefined ? {} : { [name]: `${origin}${path}` }
  }
}
