import { bareHost, isLoopbackHost, type NetworkPolicy } from '../network-policy.ts'
import { type IssuerSettings, nameOfIssuer } from '../presets/resolve-issuer.ts'

/**
 * An issuer that an app trusts: its URL alone, or a preset with what that is made of
 * (`{ preset: 'entra-v2', tenant: '…' }`), every member of it replaceable.
 */
export interface TrustedIssuer extends Omit<IssuerSettings, 'parts'> {
  /** Entra: the tenant ID. */
  readonly tenant?: string
  /** Okta, Auth0. */
  readonly domain?: string
  /** Entra: of a national cloud. */
  readonly host?: string
  /** Okta. */
  readonly authorizationServer?: string
  /** Keycloak: the base URL. */
  readonly url?: string
  /** Keycloak. */
  readonly realm?: string
  /** Cognito. */
  readonly region?: string
  /** Cognito. */
  readonly userPool?: string
  /** PingOne. */
  readonly environment?: string
}

/** The settings of the preset with its parts together. */
export function settingsOf(issuer: string | TrustedIssuer): IssuerSettings {
  if (typeof issuer === 'string') return { issuer }
  const {
    tenant,
    domain,
    host,
    authorizationServer,
    url,
    realm,
    region,
    userPool,
    environment,
    ...settings
  } = issuer
  const parts = {
    ...{ tenant, domain, host, authorizationServer, url, realm, region, userPool, environment },
  }
  return { ...settings, parts }
}

/**
 * What may be fetched for an issuer that the app names in its own code: that host, also on a private
 * network, and loopback only if the issuer is there.
 */
export function networkOf(settings: IssuerSettings): NetworkPolicy {
  const url = URL.parse(nameOfIssuer(settings))
  const host = url === null ? '' : bareHost(url)
  return { allowLoopback: isLoopbackHost(host), allowPrivateHosts: host === '' ? [] : [host] }
}
