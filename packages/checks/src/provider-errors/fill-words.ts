import type { ProviderSignal, SecretFacts } from './provider-signal.ts'

/** Fills `{name}` from the signal, in one pass; what is not known is said in general words. */
export function fillWords(template: string, signal: ProviderSignal): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(WORDS, name) ? WORDS[name as keyof typeof WORDS](signal) : whole,
  )
}

const LONGEST = 500

/** Some of it comes from a provider, and ends in logs and on terminals: one line, bounded. */
function quoted(value: string | undefined, otherwise: string): string {
  if (value === undefined || value === '') return otherwise
  const line = value.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029`]/gu, ' ')
  return `\`${line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line}\``
}

const list = (values: readonly string[] | undefined, otherwise: string) =>
  quoted(values?.join(' '), otherwise)

const WORDS = {
  connection: ({ connection }) => quoted(connection, 'this connection'),
  clientId: ({ clientId }) => quoted(clientId, 'the client id'),
  secret: ({ secret }) => secretWords(secret),
  authentication: ({ authentication }) => quoted(authentication, 'the authentication method'),
  endpoint: ({ endpoint }) => quoted(endpoint, 'the token endpoint'),
  issuer: ({ issuer }) => quoted(issuer, 'the issuer'),
  host: ({ endpoint, resource }) =>
    quoted(/^https?:\/\/([^/?#]+)/i.exec(endpoint ?? resource ?? '')?.[1], 'the host'),
  tenant: ({ tenant }) => quoted(tenant, 'the tenant'),
  scopes: ({ scopes }) => list(scopes, 'the scopes'),
  audience: ({ audience }) => quoted(audience, 'the audience'),
  subject: ({ subject }) => quoted(subject, 'the subject'),
  grant: ({ grant }) => quoted(grant, 'the grant'),
  keyId: ({ keyId }) => quoted(keyId, 'the key'),
  algorithm: ({ assertionAlgorithm }) => quoted(assertionAlgorithm, 'the algorithm'),
  assertionAudience: ({ assertionAudience }) => quoted(assertionAudience, 'another value'),
  thumbprint: ({ certificate }) =>
    certificate
      ? `x5t#S256 \`${certificate['x5t#S256']}\`${certificate.x5t ? `, SHA-1 \`${certificate.x5t}\`` : ''}`
      : 'thumbprint shown by `scopegate key list`',
  skew: ({ clockSkewSeconds }) => skewWords(clockSkewSeconds),
  proxy: ({ proxy }) => (proxy === undefined || proxy === 'none' ? 'no proxy' : `proxy ${proxy}`),
  status: ({ status }) => (status === undefined ? 'an answer' : `status ${status}`),
  contentType: ({ contentType }) => quoted(contentType, 'no content type'),
  nodeCode: ({ nodeCode }) => quoted(nodeCode, 'no code'),
  retry: ({ retryAfterSeconds }) =>
    retryAfterSeconds === undefined ? 'a while' : `${retryAfterSeconds} s`,
  ids: ({ traceId, correlationId }) =>
    [
      ...(traceId === undefined ? [] : [`trace id ${quoted(traceId, '')}`]),
      ...(correlationId === undefined ? [] : [`correlation id ${quoted(correlationId, '')}`]),
    ].join(', ') || 'the time of the request',
  parameters: ({ parameters }) => list(parameters, 'not recorded'),
  expected: ({ expected }) => quoted(expected, 'another value'),
  got: ({ got }) => quoted(got, 'nothing'),
  resource: ({ resource }) => quoted(resource, 'the resource'),
  tokenAudiences: ({ token }) => list(token?.audiences, 'nothing'),
  tokenScopes: ({ token }) => list(token?.scopes, 'none'),
  tokenRoles: ({ token }) => list(token?.roles, 'none'),
  needed: ({ neededScopes }) => list(neededScopes, 'not said'),
} as const satisfies Record<string, (signal: ProviderSignal) => string>

function secretWords(secret: SecretFacts | undefined): string {
  if (secret === undefined) return 'the client secret'
  const from = secret.source === undefined ? '' : ` from \`${secret.source}\``
  return `the client secret${from} (${secret.lengthCharacters} characters)`
}

function skewWords(seconds: number | undefined): string {
  if (seconds === undefined) return 'the clocks could not be compared'
  const off = Math.abs(Math.round(seconds))
  if (off < 2) return 'the clocks agree'
  return `the clock here is ${off} s ${seconds > 0 ? 'behind' : 'ahead of'} the provider's`
}
