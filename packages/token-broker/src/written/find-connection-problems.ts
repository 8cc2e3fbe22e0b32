import { isLoopbackHost } from '../transport/loopback-host.ts'
import { methodOf } from './method-of.ts'
import { findPresetProblems } from './preset-rules.ts'
import { presetOf, resolveAddresses } from './resolve-addresses.ts'
import type {
  ConnectionProblem,
  CredentialsPresent,
  WrittenConnection,
} from './written-connection.ts'

/**
 * What of a connection's settings cannot be right; empty if it may work. Pure: asks no server, and
 * reads no secret.
 */
export function findConnectionProblems(
  written: WrittenConnection,
  present: CredentialsPresent,
): readonly ConnectionProblem[] {
  return [
    ...findAddressProblems(written),
    ...findScopeProblems(written),
    ...findAuthenticationProblems(written, present),
    ...findGrantProblems(written, present),
    ...findPresetProblems(written, methodOf(written, present)),
    ...findProxyProblems(written),
    ...findParameterProblems(written),
  ]
}

function findAddressProblems(written: WrittenConnection): ConnectionProblem[] {
  const preset = presetOf(written)
  const addresses = resolveAddresses(written)
  const problems: ConnectionProblem[] = addresses.missing.map((part) => ({
    path: [part],
    message: 'missing',
    fix: preset.fixes?.[part] ?? 'write it, or give the `issuer` or the `tokenEndpoint`',
  }))
  if (
    addresses.missing.length === 0 &&
    addresses.tokenEndpoint === undefined &&
    addresses.metadataUrls.length === 0
  ) {
    problems.push({
      path: ['issuer'],
      message: 'missing: it is not known where tokens come from',
      fix: 'write the `issuer`, or the `tokenEndpoint`',
    })
  }
  const all = { ...addresses, metadataUrl: addresses.metadataUrls[0], resource: written.resource }
  for (const name of [
    'issuer',
    'metadataUrl',
    'tokenEndpoint',
    'authorizationEndpoint',
    'deviceAuthorizationEndpoint',
  ] as const) {
    const problem = all[name] === undefined ? undefined : findUrlProblem(all[name])
    if (problem === undefined) continue
    const isWritten = written[name] !== undefined
    problems.push({
      path: [isWritten ? name : (partIn(written) ?? name)],
      message: `${isWritten ? '' : `makes the ${name} \`${all[name]}\`, which `}${problem}`,
      fix: 'write an https URL; plain http is for loopback only',
    })
    break
  }
  return problems
}

function partIn(written: WrittenConnection): string | undefined {
  return (['url', 'domain', 'cloud', 'environment', 'tenant', 'realm'] as const).find(
    (part) => written[part] !== undefined,
  )
}

function findUrlProblem(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null) return `\`${text}\` is not a URL`
  if (url.username !== '' || url.password !== '') return 'holds a user name or a password'
  if (url.hash !== '') return `\`${text}\` has a fragment`
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:' && isLoopbackHost(url.hostname)) return undefined
  return `\`${text}\` is not https`
}

function findScopeProblems({ scopes = [] }: WrittenConnection): ConnectionProblem[] {
  return scopes.flatMap((scope, index) => {
    const path = ['scopes', String(index)]
    if (/\s/.test(scope)) {
      const fix = 'write every scope as an item of its own'
      return [{ path, message: `\`${scope}\` has a space in it`, fix }]
    }
    // In SMART scopes a comma may stand behind `?`.
    if (/^[^?]*,/.test(scope)) {
      const fix = 'write every scope as an item of its own; they are sent with spaces between'
      return [{ path, message: `\`${scope}\` has a comma in it`, fix }]
    }
    if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) {
      const fix = 'write it in ASCII, without quotes and backslashes'
      return [{ path, message: `\`${scope}\` cannot be a scope`, fix }]
    }
    return []
  })
}

function findAuthenticationProblems(
  written: WrittenConnection,
  present: CredentialsPresent,
): ConnectionProblem[] {
  const method = methodOf(written, present)
  const { grant = presetOf(written).grant, authentication = {} } = written
  const at = (name: string) => ['authentication', name]
  if (method.startsWith('client_secret')) {
    if (present.secrets) return []
    const fix = 'name where the secret is: `secrets: [env:NAME]` or `[file:/run/secrets/name]`'
    return [{ path: at('secrets'), message: `missing: \`${method}\` needs a secret`, fix }]
  }
  if (method === 'tls_client_auth') {
    if (present.tlsCertificate) return []
    const fix = 'name both as files: `certificate: client.pem` and `privateKey: file:key.pem`'
    const message = 'missing: `tls_client_auth` shows a certificate'
    return [{ path: at('certificate'), message, fix }]
  }
  if (method === 'private_key_jwt') {
    if (!present.key) {
      const fix = 'name a key: `key:` of `keys:`, or `privateKey: file:key.pem`'
      return [{ path: at('key'), message: 'missing: `private_key_jwt` needs a key', fix }]
    }
    const { headers = presetOf(written).assertion.headers, jwksUrl } = authentication
    if (authentication.headers?.includes('jku') && jwksUrl === undefined) {
      const fix = 'write the `jwksUrl` that is registered there, or leave `jku` out of `headers`'
      return [{ path: at('jwksUrl'), message: 'missing: `jku` names it', fix }]
    }
    const thumbprint = headers.find((each) => each.startsWith('x5'))
    if (thumbprint === undefined || present.certificate) return []
    const fix = 'name the certificate that was uploaded there: `certificate: file.pem`'
    return [{ path: at('certificate'), message: `missing: \`${thumbprint}\` is made of it`, fix }]
  }
  if (grant === 'client_credentials') {
    const fix = 'give `secrets`, a `key`, or a `privateKey`'
    return [{ path: ['authentication'], message: 'missing: client credentials need them', fix }]
  }
  return []
}

function findGrantProblems(
  written: WrittenConnection,
  present: CredentialsPresent,
): ConnectionProblem[] {
  const { grant = presetOf(written).grant } = written
  const { audience = presetOf(written).assertion.audience } = written.authentication ?? {}
  const problems: ConnectionProblem[] = []
  if (grant === 'jwt_bearer' && !present.key) {
    const fix = 'name the key: `serviceAccount:` at Google, else `key:` or `privateKey:`'
    problems.push({
      path: ['authentication'],
      message: 'no key: the grant `jwt_bearer` is an assertion that it signs',
      fix,
    })
  }
  if (grant === 'token_exchange' && !present.subjectToken) {
    const fix = 'name where it is: `exchange: { subjectToken: file:/run/secrets/token }`'
    problems.push({ path: ['exchange'], message: 'missing: there is nothing to exchange', fix })
  }
  if (
    audience === 'issuer' &&
    methodOf(written, present) === 'private_key_jwt' &&
    resolveAddresses(written).issuer === undefined &&
    resolveAddresses(written).metadataUrls.length === 0
  ) {
    const fix = 'write the `issuer`, or another `authentication.audience`'
    problems.push({ path: ['issuer'], message: 'missing: assertions are addressed to it', fix })
  }
  if (written.subject !== undefined && grant !== 'jwt_bearer' && grant !== 'token_exchange') {
    const fix = 'leave it out, or use the grant `jwt_bearer`'
    problems.push({ path: ['subject'], message: `the grant \`${grant}\` has no subject`, fix })
  }
  return problems
}

/** They would be shown with the configuration, and not be taken out of what a provider repeats. */
const SECRET_PARAMETERS =
  /^(?:client_secret|client_assertion|assertion|password|code|code_verifier|device_code|(?:access|actor|id|refresh|subject)_token)$/i

function findParameterProblems(written: WrittenConnection): ConnectionProblem[] {
  return (['parameters', 'authorizationParameters'] as const).flatMap((member) =>
    Object.keys(written[member] ?? {})
      .filter((name) => SECRET_PARAMETERS.test(name))
      .map((name) => ({
        path: [member, name],
        message: 'a secret, written into the configuration',
        fix: 'leave it out: secrets are references under `authentication`, `exchange` or `refreshToken`',
      })),
  )
}

function findProxyProblems({ proxy }: WrittenConnection): ConnectionProblem[] {
  if (proxy === undefined || proxy === 'environment' || proxy === 'none') return []
  const url = URL.parse(proxy)
  const path = ['proxy']
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const fix = 'write `environment`, `none`, or the URL of the proxy, such as `http://proxy:3128`'
    return [{ path, message: 'not the address of a proxy', fix }]
  }
  if (url.password === '') return []
  const fix = 'put the URL into a file or a variable, and write `file:/path` or `env:NAME`'
  return [{ path, message: 'holds a password', fix }]
}
