import type { UpstreamProvider } from '@scopegate/oidc-login'
import { orNothing } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Secret } from './secret.ts'
import type { Settings } from './settings.ts'

type Written = Settings['login']['providers'][number]

/** A provider with its secret read. */
export type ConfiguredProvider = Omit<Written, 'secret' | 'privateKey' | 'certificateFile'> & {
  readonly secret?: Secret
  readonly privateKey?: Secret
  /** PEM. */
  readonly certificate?: string
}

/** Reads what the providers refer to. */
export function configuredProviders(
  { login: { providers } }: Settings,
  reader: ReferenceReader,
): readonly ConfiguredProvider[] {
  return providers.map(({ secret, privateKey, certificateFile, ...provider }, index) => {
    const at = (key: string) => ['login', 'providers', index, key]
    if (providers.findIndex(({ name }) => name === provider.name) < index) {
      reader.complain(at('name'), `\`${provider.name}\` is there twice`, { fix: 'rename one' })
    }
    return {
      ...provider,
      ...orNothing(
        'secret',
        reader.secret(
          at('secret'),
          secret,
          provider.preset === 'entra' ? 'entra-client-secret' : undefined,
        ),
      ),
      ...orNothing('privateKey', reader.secret(at('privateKey'), privateKey)),
      ...(certificateFile === undefined
        ? {}
        : { certificate: reader.file(at('certificateFile'), certificateFile) }),
    }
  })
}

/** The providers as `createUpstreamLogins` takes them: here the secrets are revealed. */
export function upstreamProviders(
  configured: readonly ConfiguredProvider[],
): readonly UpstreamProvider[] {
  return configured.map(({ secret, privateKey, keyId, certificate, claims, ...provider }) => {
    const authentication: UpstreamProvider['authentication'] =
      privateKey === undefined
        ? { method: 'secret', secret: secret?.reveal() ?? '' }
        : {
            method: 'private_key_jwt',
            privateKey: privateKey.reveal(),
            ...orNothing('keyId', keyId),
            ...orNothing('certificate', certificate),
          }
    return withoutUndefined({ ...provider, claims: withoutUndefined(claims), authentication })
  })
}

/** zod gives members that were left out as `undefined`; in a provider they are absent. */
function withoutUndefined<T extends object>(
  value: T,
): { [member in keyof T]: Exclude<T[member], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [member in keyof T]: Exclude<T[member], undefined>
  }
}
