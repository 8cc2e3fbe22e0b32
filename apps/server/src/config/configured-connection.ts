import {
  createKeySigner,
  findKeyWarnings,
  type KeyCertificate,
  type KeyMaterial,
  KeyMaterialError,
  type KeySigner,
  type KeyWarning,
  readKeyMaterial,
  type SignatureAlgorithm,
} from '@scopegate/keys'
import {
  algorithmsBeside,
  type Connection,
  type ConnectionCredentials,
  chooseAlgorithm,
  compileConnection,
  type WrittenConnection,
} from '@scopegate/token-broker'
import { isReference, writtenConnection } from './connection-settings.ts'
import { didYouMean } from './did-you-mean.ts'
import { readServiceAccount } from './read-service-account.ts'
import { orNothing, type Path } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'
import { Secret } from './secret.ts'
import type { Settings } from './settings.ts'

type Written = Settings['connections'][number]

/** A connection with what it refers to read. */
export interface ConfiguredConnection {
  readonly name: string
  readonly written: WrittenConnection
  /** Newest first. */
  readonly secrets?: readonly Secret[]
  /** A key of `keys`, by its name. */
  readonly keyName?: string
  /** A key of its own. */
  readonly key?: KeyMaterial
  readonly tls?: {
    readonly certificate: string
    readonly key: Secret
    readonly passphrase?: Secret
  }
  readonly refreshToken?: Secret
  readonly subjectToken?: Secret
  readonly actorToken?: Secret
  /** PEM. */
  readonly ca?: string
  readonly proxy?: Secret
  /** Where requests through the sidecar go. */
  readonly upstream?: string
  readonly paths: readonly string[]
  readonly methods: readonly string[]
  readonly cookies: 'strip' | 'keep'
  /** That it signs with, or shows; epoch seconds. */
  readonly certificateExpiresAt?: number
  readonly certificate?: KeyCertificate
}

/** Reads what the connections refer to. */
export function configuredConnections(
  settings: Settings,
  reader: ReferenceReader,
): readonly ConfiguredConnection[] {
  return settings.connections.map((each, index) => {
    checkNames(settings, index, reader)
    return configuredConnection(each, ['connections', index], reader)
  })
}

function configuredConnection(
  each: Written,
  at: Path,
  reader: ReferenceReader,
): ConfiguredConnection {
  const { authentication, exchange, refreshToken, ca, proxy } = each
  const { upstream, paths, methods, cookies } = each
  const inAuthentication = (name: string) => [...at, 'authentication', name]
  const { secrets, key: keyName, serviceAccount } = authentication
  const account =
    serviceAccount === undefined
      ? undefined
      : readServiceAccount(
          inAuthentication('serviceAccount'),
          reader.secret(inAuthentication('serviceAccount'), serviceAccount),
          reader,
        )
  const written = writtenConnection(each, each.clientId ?? account?.clientEmail)
  const isTls = authentication.method === 'tls_client_auth'
  const own = readOwnKey(each, at, reader)
  const key = account?.key ?? (isTls ? undefined : own.material)
  const { certificate } = key ?? own.material ?? {}
  const meaning = each.preset === 'entra' ? 'entra-client-secret' : undefined
  return {
    name: each.name,
    written: {
      ...written,
      ...(account?.tokenEndpoint !== undefined &&
        written.tokenEndpoint === undefined && { tokenEndpoint: account.tokenEndpoint }),
    },
    ...(secrets && { secrets: reader.secrets(inAuthentication('secrets'), secrets, meaning) }),
    ...orNothing('keyName', keyName),
    ...orNothing('key', key),
    ...(isTls && orNothing('tls', tlsOf(own))),
    ...orNothing('refreshToken', reader.secret([...at, 'refreshToken'], refreshToken)),
    ...orNothing(
      'subjectToken',
      reader.secret([...at, 'exchange', 'subjectToken'], exchange?.subjectToken),
    ),
    ...orNothing(
      'actorToken',
      reader.secret([...at, 'exchange', 'actorToken'], exchange?.actorToken),
    ),
    ...(ca !== undefined && { ca: readAuthorities([...at, 'ca'], ca, reader) }),
    ...(isReference(proxy) && { proxy: readProxy([...at, 'proxy'], proxy, reader) }),
    ...orNothing('upstream', upstream),
    ...{ paths, methods, cookies },
    ...(certificate && { certificateExpiresAt: certificate.notAfter, certificate }),
  }
}

/** The name is there once; a key that is named exists. */
function checkNames(settings: Settings, index: number, reader: ReferenceReader): void {
  const { connections } = settings
  const { name, authentication } = connections[index]!
  if (connections.findIndex((each) => each.name === name) < index) {
    reader.complain(['connections', index, 'name'], `\`${name}\` is there twice`, {
      fix: 'rename one',
    })
  }
  const keys = (settings as { keys?: readonly { readonly name: string }[] }).keys
  const { key } = authentication
  // Keys may also be made by the admin API: only a name that looks mistyped is complained of.
  if (key === undefined || keys === undefined || keys.some((each) => each.name === key)) return
  const meant = didYouMean(
    key,
    keys.map((each) => each.name),
  )
  if (meant === undefined) return
  reader.complain(['connections', index, 'authentication', 'key'], `no such key: \`${key}\``, {
    fix: `did you mean \`${meant}\`?`,
  })
}

interface OwnKey {
  readonly text?: Secret
  readonly passphrase?: Secret
  /** PEM. */
  readonly certificate?: string
  /** Missing if it cannot be used, which is complained of. */
  readonly material?: KeyMaterial
}

function readOwnKey(each: Written, at: Path, reader: ReferenceReader): OwnKey {
  const { privateKey, keyPassphrase, certificate: file } = each.authentication
  const path = [...at, 'authentication', 'privateKey']
  const text = reader.secret(path, privateKey, 'private-key')
  const passphrase = reader.secret([...at, 'authentication', 'keyPassphrase'], keyPassphrase)
  const certificate =
    file === undefined ? undefined : reader.file([...at, 'authentication', 'certificate'], file)
  const own = {
    ...orNothing('text', text),
    ...orNothing('passphrase', passphrase),
    ...orNothing('certificate', certificate),
  }
  // What does not resolve is complained of already.
  if (text === undefined || text.reveal() === '' || certificate === '') return own
  try {
    const material = readKeyMaterial({
      text: text.reveal(),
      name: text.reference,
      ...orNothing('passphrase', passphrase?.reveal()),
      ...orNothing('certificate', certificate),
    })
    createKeySigner(material, signerOptions(writtenConnection(each), material))
    return { ...own, material }
  } catch (error) {
    if (!(error instanceof KeyMaterialError)) throw error
    reader.complain(path, `${text.reference}: ${error.problem}`, {
      fix: error.fix ?? 'export the key again',
    })
    return own
  }
}

function tlsOf({ text, passphrase, certificate, material }: OwnKey): ConfiguredConnection['tls'] {
  if (text === undefined || certificate === undefined) return undefined
  if (material && !text.reveal().includes('-----BEGIN ')) {
    // TLS takes PEM, and the key may have come as PFX, DER or JWK.
    const pem = material.privateKey.export({ type: 'pkcs8', format: 'pem' })
    return { certificate, key: new Secret(text.reference, String(pem)) }
  }
  return { certificate, key: text, ...orNothing('passphrase', passphrase) }
}

function readAuthorities(path: Path, file: string, reader: ReferenceReader): string {
  const pem = reader.file(path, file)
  if (pem !== '' && !pem.includes('-----BEGIN CERTIFICATE-----')) {
    reader.complain(path, 'holds no certificate as PEM', {
      fix: 'convert it: openssl x509 -inform der -in ca.cer -out ca.pem',
    })
  }
  return pem
}

function readProxy(path: Path, reference: string, reader: ReferenceReader): Secret {
  const proxy = reader.secret(path, reference)
  const url = URL.parse(proxy.reveal())
  if (proxy.reveal() !== '' && (url === null || !/^https?:$/.test(url.protocol))) {
    reader.complain(path, `${proxy.reference} does not hold the URL of a proxy`, {
      fix: 'its value must look like http://user:password@proxy:3128',
    })
  }
  return proxy
}

export interface CompileDeps {
  /** A key of `keys`. */
  readonly signerNamed: (name: string, alg?: SignatureAlgorithm) => Promise<KeySigner>
}

/** The connections as the token broker takes them: here the secrets are revealed. */
export function compileConnections(
  configured: readonly ConfiguredConnection[],
  deps: CompileDeps,
): readonly Connection[] {
  return configured.map((each) => compileConnection(each.written, credentialsOf(each, deps)))
}

function credentialsOf(each: ConfiguredConnection, deps: CompileDeps): ConnectionCredentials {
  const { secrets, tls, refreshToken, subjectToken, actorToken, proxy, ca } = each
  const signer = signerOf(each, deps)
  const values = secrets?.map((secret) => secret.reveal())
  const version = [
    ...(secrets ?? []).map(({ fingerprint }) => fingerprint),
    each.keyName ?? '',
    each.key === undefined ? '' : createKeySigner(each.key).kid,
    each.key?.certificate?.x5tS256 ?? '',
    tls?.key.fingerprint ?? '',
    refreshToken?.fingerprint ?? '',
    subjectToken?.fingerprint ?? '',
  ].join(' ')
  return {
    ...(values && {
      secrets: () => values,
      secretSources: secrets?.map(({ reference }) => reference) ?? [],
    }),
    ...orNothing('signer', signer),
    ...(tls && {
      certificate: {
        certificate: tls.certificate,
        key: () => tls.key.reveal(),
        ...(tls.passphrase && { passphrase: () => tls.passphrase?.reveal() ?? '' }),
      },
    }),
    ...(refreshToken && { refreshToken: () => refreshToken.reveal() }),
    ...(subjectToken && { subjectToken: () => subjectToken.reveal() }),
    ...(actorToken && { actorToken: () => actorToken.reveal() }),
    ...orNothing('ca', ca),
    ...orNothing('proxy', proxy?.reveal()),
    version: () => version,
  }
}

function signerOf(
  { key, keyName, written }: ConfiguredConnection,
  { signerNamed }: CompileDeps,
): (() => Promise<KeySigner>) | undefined {
  if (key !== undefined) {
    const signer = createKeySigner(key, signerOptions(written, key))
    return async () => signer
  }
  if (keyName === undefined) return undefined
  return async () => {
    const usual = await signerNamed(keyName, written.authentication?.alg as SignatureAlgorithm)
    const wanted = chooseAlgorithm(written, algorithmsBeside(usual.alg))
    return wanted === undefined || wanted === usual.alg ? usual : signerNamed(keyName, wanted)
  }
}

function signerOptions(written: WrittenConnection, key: KeyMaterial) {
  return orNothing('alg', chooseAlgorithm(written, key.algorithms))
}

/** What an operator should know of certificates before they stop working. */
export function connectionWarnings(
  configured: readonly ConfiguredConnection[],
  nowSeconds: number,
): readonly { readonly connection: string; readonly warning: KeyWarning }[] {
  return configured.flatMap(({ name, certificate }) =>
    findKeyWarnings(certificate, nowSeconds).map((warning) => ({ connection: name, warning })),
  )
}
