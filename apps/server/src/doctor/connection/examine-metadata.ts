import { findProviderError } from '@scopegate/checks'
import { type Connection, createTransport, explainFault } from '@scopegate/token-broker'
import { pass, warn } from '../finding.ts'
import { failStep, type Step } from './connection-doctor.ts'

export interface MetadataFound {
  readonly steps: readonly Step[]
  /** The provider's clock minus ours. */
  readonly clockSkewSeconds?: number
}

/** Discovery, equality of the issuer, and whether the metadata know what the connection does. */
export async function examineMetadata(
  connection: Connection,
  options: {
    readonly environment: Readonly<Record<string, string | undefined>>
    readonly signal: AbortSignal
    readonly nowMs: () => number
  },
): Promise<MetadataFound> {
  if (connection.metadataUrls.length === 0) {
    return { steps: [pass('discovery', 'not needed: the endpoints are configured')] }
  }
  const transport = createTransport({ transport: connection.transport, ...options })
  // Without it a token can be got all the same, where the endpoint is configured.
  const isNeeded = connection.tokenEndpoint === undefined
  let last: MetadataFound | undefined
  for (const url of connection.metadataUrls) {
    try {
      const answer = await transport.send(
        { method: 'GET', url, headers: { accept: 'application/json' } },
        options.signal,
      )
      const { clockSkewSeconds } = answer
      const skew = clockSkewSeconds === undefined ? {} : { clockSkewSeconds }
      const document = readObject(answer.text)
      if (answer.status === 200 && document !== undefined) {
        return { steps: [pass('discovery', url), ...judge(document, connection)], ...skew }
      }
      const { code, kind, cause, fix } = findProviderError({
        ...{ stage: 'discovery', endpoint: url, connection: connection.name },
        status: answer.status,
        ...(answer.status < 400 && { finding: 'answer_malformed' }),
        contentType: answer.headers.get('content-type') ?? '',
      })
      const found = `${url} answers ${answer.status}: ${cause}`
      last = {
        steps: [
          { check: 'discovery', outcome: isNeeded ? 'fail' : 'warn', found, fix, code, kind },
        ],
        ...skew,
      }
    } catch (error) {
      const target = { connection, scopes: [], audience: undefined, subject: undefined }
      const failure = explainFault(target, error, { stage: 'discovery', isTokenRequest: false })
      const failed = failStep('discovery', failure)
      return { steps: [isNeeded ? failed : { ...failed, outcome: 'warn' }] }
    }
  }
  return last ?? { steps: [] }
}

function judge(
  document: Readonly<Record<string, unknown>>,
  connection: Connection,
): readonly Step[] {
  return [
    ...judgeIssuer(document.issuer, connection),
    ...judgeEndpoint(document.token_endpoint, connection),
    ...judgeList(
      'grant',
      document.grant_types_supported,
      GRANT_NAMES[connection.grant],
      'enable it at the provider, or set another `grant`',
    ),
    ...judgeList(
      'authentication',
      document.token_endpoint_auth_methods_supported,
      METHOD_NAMES[connection.authentication.method] ?? connection.authentication.method,
      'set `authentication.method` to one of them, or have the client registered for it',
    ),
  ]
}

function judgeIssuer(
  stated: unknown,
  { issuer, issuerAliases, name }: Connection,
): readonly Step[] {
  if (issuer === undefined) {
    return typeof stated === 'string' ? [pass('issuer', `${stated} (not compared)`)] : []
  }
  if (stated === issuer) return [pass('issuer', issuer)]
  if (typeof stated === 'string' && issuerAliases.includes(stated)) {
    return [pass('issuer', `${issuer}, known as ${stated}`)]
  }
  const { code, kind, cause, fix } = findProviderError({
    ...{ stage: 'discovery', finding: 'issuer_mismatch', connection: name, expected: issuer },
    got: typeof stated === 'string' ? stated.slice(0, 200) : 'no `issuer`',
  })
  return [{ check: 'issuer', outcome: 'fail', found: cause, fix, code, kind }]
}

function judgeEndpoint(stated: unknown, { tokenEndpoint }: Connection): readonly Step[] {
  if (typeof stated !== 'string') {
    if (tokenEndpoint !== undefined) return []
    const { code, kind, cause, fix } = findProviderError({ finding: 'endpoint_missing' })
    return [{ check: 'token endpoint', outcome: 'fail', found: cause, fix, code, kind }]
  }
  if (tokenEndpoint === undefined || tokenEndpoint === stated) {
    return [pass('token endpoint', stated.slice(0, 300))]
  }
  const found = `configured ${tokenEndpoint}, the metadata say ${stated.slice(0, 300)}`
  return [
    warn('token endpoint', found, 'leave `tokenEndpoint` out, unless only that can be reached'),
  ]
}

function judgeList(check: string, supported: unknown, used: string, fix: string): readonly Step[] {
  if (!Array.isArray(supported) || supported.includes(used)) return []
  const found = `\`${used}\` is used; the metadata list ${supported.map(String).join(', ').slice(0, 300)}`
  return [warn(check, found, fix)]
}

const GRANT_NAMES: Readonly<Record<Connection['grant'], string>> = {
  client_credentials: 'client_credentials',
  refresh_token: 'refresh_token',
  authorization_code: 'authorization_code',
  jwt_bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
}

/** What the standards call them. */
const METHOD_NAMES: Readonly<Record<string, string>> = {
  client_secret_basic_raw: 'client_secret_basic',
  client_secret_auto: 'client_secret_basic',
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
