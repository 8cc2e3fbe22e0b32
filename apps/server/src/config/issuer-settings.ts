import type { ClaimPlaces, IssuerPresetName, IssuerSettings } from '@scopegate/token-verify'

type Places = string | readonly string[] | undefined

/** An issuer as the file has it, with its secrets read or not. */
export interface WrittenIssuer {
  readonly preset: IssuerPresetName
  readonly issuer: string
  readonly claims: Readonly<{ [Name in keyof ClaimPlaces]?: Places }>
  readonly introspection?:
    | {
        readonly url?: string | undefined
        readonly clientId?: string | undefined
        readonly secret?: unknown
        readonly privateKey?: unknown
        readonly keyId?: string | undefined
        readonly method: 'client_secret_basic' | 'client_secret_post'
        readonly cacheSeconds: number
        readonly when: 'opaque' | 'always'
      }
    | undefined
  readonly [setting: string]: unknown
}

const PARTS = [
  'tenant',
  'domain',
  'host',
  'authorizationServer',
  'url',
  'realm',
  'region',
  'userPool',
  'environment',
]

/** The settings of an issuer as `resolveIssuer` takes them. @param reveal gives a secret's value. */
export function issuerSettings(
  written: WrittenIssuer,
  reveal: (secret: unknown) => string = () => '',
): IssuerSettings {
  const { issuer, claims, introspection, ...rest } = written
  const places = Object.entries(claims).filter(([, value]) => value !== undefined)
  return {
    ...(Object.fromEntries(
      Object.entries(rest).filter(([key, value]) => value !== undefined && !PARTS.includes(key)),
    ) as IssuerSettings),
    ...(issuer === '' ? {} : { issuer }),
    parts: Object.fromEntries(PARTS.map((name) => [name, written[name] as string | undefined])),
    claims: Object.fromEntries(places.map(([name, value]) => [name, [value].flat()])),
    ...(introspection === undefined
      ? {}
      : { introspection: introspectionOf(introspection, issuer, reveal) }),
  }
}

function introspectionOf(
  written: NonNullable<WrittenIssuer['introspection']>,
  issuer: string,
  reveal: (secret: unknown) => string,
): NonNullable<IssuerSettings['introspection']> {
  const { url, clientId, secret, privateKey, keyId, method, cacheSeconds, when } = written
  const common = { cacheSeconds, when, ...(url === undefined ? {} : { url }) }
  if (clientId === undefined) return common
  if (secret !== undefined) {
    return { ...common, authentication: { method, clientId, secret: reveal(secret) } }
  }
  if (privateKey === undefined) return common
  return {
    ...common,
    authentication: {
      method: 'private_key_jwt',
      ...{ clientId, privateKey: reveal(privateKey), audience: issuer },
      ...(keyId === undefined ? {} : { keyId }),
    },
  }
}
