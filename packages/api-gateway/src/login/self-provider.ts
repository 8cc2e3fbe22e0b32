import type { UpstreamProvider } from '@scopegate/oidc-login'
import { slugOf } from './login-cookies.ts'
import { loginPaths } from './login-paths.ts'

interface SelfApi {
  readonly name: string
  readonly path: string
  readonly url: string
}

/** A client of this server's own, for the login of one API; to be declared at every start. */
export interface WebLoginClient {
  readonly id: string
  readonly name: string
  readonly secret: string
  /** Space-separated. */
  readonly scopes: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly backchannelLogoutUri: string
}

/** What a session of our own user needs: refresh tokens that end with the session at the issuer. */
const ALWAYS = ['openid', 'online_access']

/** The client that an API's login is at this server. */
export function selfClientOf(
  api: SelfApi,
  scopes: readonly string[],
  secret: string,
): WebLoginClient {
  const paths = loginPaths(api.path)
  const origin = new URL(api.url).origin
  return {
    id: selfClientIdOf(api),
    name: api.name,
    secret,
    scopes: [...new Set([...ALWAYS, ...scopes])].join(' '),
    redirectUris: [`${origin}${paths.callback}`],
    postLogoutRedirectUris: [`${origin}${paths.loggedOut}`],
    backchannelLogoutUri: `${origin}${paths.backchannelLogout}`,
  }
}

export function selfClientIdOf({ name }: Pick<SelfApi, 'name'>): string {
  return `web-login-${slugOf(name)}`
}

/** This server as a provider of sign-ins, with the API as the resource of the tokens. */
export function selfProvider(
  issuer: string,
  api: SelfApi,
  client: WebLoginClient,
): UpstreamProvider {
  return {
    name: 'self',
    preset: 'generic',
    issuer,
    clientId: client.id,
    authentication: { method: 'secret', secret: client.secret },
    scopes: client.scopes.split(' '),
    parameters: { resource: api.url },
    // Its ID tokens hold all that userinfo would tell.
    userInfo: 'never',
  }
}
