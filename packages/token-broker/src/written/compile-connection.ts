import { createHash } from 'node:crypto'
import type { KeySigner } from '@scopegate/keys'
import type {
  AssertionProfile,
  BearerAssertion,
  Connection,
  ConnectionAuthentication,
} from '../connection.ts'
import type { ConnectionPreset } from '../presets/preset.ts'
import { isLoopbackHost } from '../transport/loopback-host.ts'
import { findConnectionProblems } from './find-connection-problems.ts'
import { methodOf } from './method-of.ts'
import { type Addresses, presetOf, resolveAddresses } from './resolve-addresses.ts'
import type { CredentialsPresent, WrittenConnection } from './written-connection.ts'

/** What a connection proves itself with. Functions are asked at each request. */
export interface ConnectionCredentials {
  /** Newest first. */
  readonly secrets?: () => readonly string[]
  /** Where they come from, in the same order: for explanations. */
  readonly secretSources?: readonly string[]
  readonly signer?: () => Promise<KeySigner>
  /** PEM, with a key as PEM too: for mTLS. */
  readonly certificate?: {
    readonly certificate: string
    readonly key: () => string
    readonly passphrase?: () => string
  }
  readonly refreshToken?: () => string
  readonly subjectToken?: () => string
  readonly actorToken?: () => string
  /** PEM of private certification authorities. */
  readonly ca?: string
  /** The proxy where its address holds a password; replaces `proxy`. */
  readonly proxy?: string
  /** Changes when any of them does. Default: made of the secrets. */
  readonly version?: () => string
}

/** Settings of a connection that cannot be used. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

/**
 * Fills in the preset. Asks no server.
 *
 * @throws {ConnectionError} naming every problem.
 */
export function compileConnection(
  written: WrittenConnection,
  credentials: ConnectionCredentials,
): Connection {
  const present: CredentialsPresent = {
    secrets: credentials.secrets !== undefined,
    key: credentials.signer !== undefined,
    certificate: credentials.signer !== undefined,
    tlsCertificate: credentials.certificate !== undefined,
    subjectToken: credentials.subjectToken !== undefined,
    refreshToken: credentials.refreshToken !== undefined,
  }
  const problems = findConnectionProblems(written, present)
  if (problems.length > 0) {
    const lines = problems.map(
      ({ path, message, fix }) => `\`${written.name}\`.${path.join('.')}: ${message}; ${fix}`,
    )
    throw new ConnectionError(lines.join('\n'))
  }
  const preset = presetOf(written)
  const { missing: _, ...addresses } = resolveAddresses(written)
  const grant = written.grant ?? preset.grant
  const settled = {
    name: written.name,
    preset: written.preset ?? 'generic',
    grant,
    ...addresses,
    issuerAliases: written.aliases ?? [],
    clientId: written.clientId,
    scopes: written.scopes ?? [],
    scopePolicy: written.scopePolicy ?? preset.scopePolicy,
    strippedScopes: preset.strippedScopes?.[grant] ?? [],
    ...defined('audience', written.audience),
    ...defined('resource', written.resource),
    ...defined('subject', written.subject),
    parameters: { ...preset.parameters, ...written.parameters },
    authorizationParameters: {
      ...preset.authorizationParameters,
      ...written.authorizationParameters,
    },
    ...defined('redirectUri', written.redirectUri),
    dpop: written.dpop ?? preset.dpop,
    defaultLifetimeSeconds: written.defaultLifetimeSeconds ?? preset.defaultLifetimeSeconds,
    keepAliveSeconds: (written.keepAliveHours ?? DEFAULT_KEEP_ALIVE_HOURS) * 3600,
    callers: written.callers ?? [],
  } satisfies Partial<Connection>
  const bearerAssertion = bearerAssertionOf(written, credentials)
  return {
    ...settled,
    authentication: authenticationOf(written, present, credentials),
    ...defined('bearerAssertion', bearerAssertion),
    ...(credentials.subjectToken && {
      exchange: {
        subjectToken: credentials.subjectToken,
        subjectTokenType: written.exchange?.subjectTokenType ?? ACCESS_TOKEN,
        ...defined('actorToken', credentials.actorToken),
        ...(credentials.actorToken && {
          actorTokenType: written.exchange?.actorTokenType ?? ACCESS_TOKEN,
        }),
        ...defined('requestedTokenType', written.exchange?.requestedTokenType),
      },
    }),
    ...defined('refreshToken', credentials.refreshToken),
    transport: {
      timeoutMs: (written.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
      ...defined('ca', credentials.ca),
      proxy: credentials.proxy ?? written.proxy ?? 'environment',
      ...defined('certificate', credentials.certificate),
      allowPlain: isOnLoopback(addresses),
    },
    revision: digest({
      ...settled,
      // Neither of them makes another token.
      callers: undefined,
      keepAliveSeconds: undefined,
      method: methodOf(written, present),
      bearer: bearerAssertion && { ...bearerAssertion, signer: undefined },
      exchange: written.exchange,
    }),
    credentialVersion: credentials.version ?? (() => digest(credentials.secrets?.() ?? [])),
  }
}

const DEFAULT_TIMEOUT_SECONDS = 10
/** Providers end refresh tokens that rest for 7 days (Google in testing) or longer. */
const DEFAULT_KEEP_ALIVE_HOURS = 24
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

function authenticationOf(
  written: WrittenConnection,
  present: CredentialsPresent,
  { secrets, secretSources, signer }: ConnectionCredentials,
): ConnectionAuthentication {
  const method = methodOf(written, present)
  switch (method) {
    case 'none':
    case 'tls_client_auth':
      return { method }
    case 'private_key_jwt':
      return { method, assertion: clientProfileOf(written), signer: signer ?? noSigner }
    default:
      return { method, secrets: secrets ?? (() => []), ...defined('sources', secretSources) }
  }
}

function clientProfileOf(written: WrittenConnection): AssertionProfile {
  const { authentication = {} } = written
  const preset = presetOf(written)
  const { audience } = authentication
  const headers = (authentication.headers ?? preset.assertion.headers).filter(
    (each) => each !== 'jku' || authentication.jwksUrl !== undefined,
  )
  return {
    ...defined('alg', authentication.alg),
    audience: audience === undefined ? preset.assertion.audience : audienceOf(audience),
    headers,
    lifetimeSeconds: authentication.lifetimeSeconds ?? preset.assertion.lifetimeSeconds,
    ...defined('jwksUrl', authentication.jwksUrl),
    ...defined('keyId', authentication.keyId),
  }
}

function audienceOf(text: string): AssertionProfile['audience'] {
  return text === 'token-endpoint' || text === 'issuer' ? text : { value: text }
}

function bearerAssertionOf(
  written: WrittenConnection,
  { signer }: ConnectionCredentials,
): BearerAssertion | undefined {
  const preset: ConnectionPreset = presetOf(written)
  if ((written.grant ?? preset.grant) !== 'jwt_bearer' || signer === undefined) return undefined
  const { assertion = {} } = written
  const profile = clientProfileOf(written)
  return {
    profile: {
      ...profile,
      ...(assertion.audience !== undefined && { audience: audienceOf(assertion.audience) }),
      lifetimeSeconds: assertion.lifetimeSeconds ?? profile.lifetimeSeconds,
    },
    signer,
    issuer: assertion.issuer ?? written.clientId,
    scopesIn: assertion.scopesIn ?? preset.bearerScopesIn ?? 'form',
    claims: assertion.claims ?? {},
  }
}

function isOnLoopback({ tokenEndpoint, issuer, metadataUrls }: Omit<Addresses, 'missing'>) {
  const main = tokenEndpoint ?? metadataUrls[0] ?? issuer
  const url = main === undefined ? null : URL.parse(main)
  return url !== null && isLoopbackHost(url.hostname)
}

async function noSigner(): Promise<KeySigner> {
  throw new ConnectionError('this connection has no key')
}

/** Members stay in the order of this file, so equal settings have equal digests. */
function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22)
}

function defined<Name extends string, T>(
  name: Name,
  value: T | undefined,
): { readonly [name in Name]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]: T })
}
