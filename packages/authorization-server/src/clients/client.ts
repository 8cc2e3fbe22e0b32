import type { ClientSource, ClientView } from '@scopegate/oauth-model'
import type { CheckedRegistration } from './check-registration.ts'

export type { ClientSource, ClientView, GrantType } from '@scopegate/oauth-model'
export { GRANT_TYPES } from '@scopegate/oauth-model'

/** A hashed secret. */
export interface ClientSecret {
  /** SHA-256, base64url. */
  readonly hash: string
  /** Epoch seconds; missing: until it is replaced. */
  readonly expiresAt?: number
}

/** A client as the endpoints need it. */
export interface Client extends CheckedRegistration {
  readonly id: string
  readonly source: ClientSource
  readonly secrets: readonly ClientSecret[]
  /** Web origins that may call with CORS, defaults applied. */
  readonly origins: readonly string[]
  /** `application_type` is `native`: see {@link isNative}. */
  readonly native: boolean
  readonly disabled: boolean
  /** Epoch seconds. */
  readonly createdAt: number
}

/** What operators see of a client. */
export function viewOf(client: Client): ClientView {
  const { id, jwks, secrets, ...plain } = client
  const common = { clientId: id, ...plain }
  if (client.public) return { ...common, authentication: 'none' }
  if (client.jwksUri !== undefined) return { ...common, authentication: 'jwks_uri' }
  if (jwks !== undefined) {
    const keyIds = jwks.keys.map((key) => String((key as { kid?: unknown }).kid))
    return { ...common, authentication: 'jwks', keyIds }
  }
  return {
    ...common,
    authentication: 'secret',
    secrets: secrets.map(({ expiresAt }) => (expiresAt === undefined ? {} : { expiresAt })),
  }
}

/**
 * Whether a client is installed on a device rather than served from a web origin: a redirect URI
 * has a private-use scheme, or is on loopback without a port, since the app takes a free one.
 *
 * @see RFC 8252 §7.1, §7.3
 */
export function isNative(redirectUris: readonly string[]): boolean {
  return redirectUris.some((text) => {
    const url = URL.parse(text)
    if (url === null) return false
    if (url.protocol === 'http:')
      return url.port === '' && !/^http:\/\/[^/?]*:80(?:[/?]|$)/i.test(text)
    return url.protocol !== 'https:'
  })
}

/** Web origins of redirect URIs, for public clients that name none. */
export function originsOf(redirectUris: readonly string[]): readonly string[] {
  const origins = redirectUris.flatMap((text) => {
    const url = URL.parse(text)
    return url?.protocol === 'https:' || url?.protocol === 'http:' ? [url.origin] : []
  })
  return [...new Set(origins)]
}
