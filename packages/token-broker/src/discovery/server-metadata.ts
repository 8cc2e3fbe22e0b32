import type { Connection } from '../connection.ts'
import { parseBody } from '../request/parse-body.ts'
import type { Answer, Transport } from '../transport/transport.ts'

/** What is known of an authorization server: from settings, and from its metadata. */
export interface ServerMetadata {
  readonly issuer?: string
  readonly tokenEndpoint?: string
  readonly mtlsTokenEndpoint?: string
  readonly authorizationEndpoint?: string
  readonly deviceAuthorizationEndpoint?: string
  /** It names itself in authorization responses. @see RFC 9207 */
  readonly namesItself: boolean
}

/** The metadata is there, and cannot be used. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
  readonly finding: 'issuer_mismatch' | 'endpoint_missing' | 'answer_malformed'
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly answer: Answer | undefined

  constructor(
    finding: MetadataError['finding'],
    facts: { expected?: string; got?: string; answer?: Answer },
  ) {
    super(`metadata: ${finding}`)
    this.finding = finding
    this.expected = facts.expected
    this.got = facts.got
    this.answer = facts.answer
  }
}

export type MetadataMember =
  | 'tokenEndpoint'
  | 'authorizationEndpoint'
  | 'deviceAuthorizationEndpoint'

export interface MetadataReader {
  /**
   * The server, with what is `needed`. What the settings say wins; the metadata is asked for only if
   * they do not say it, once an hour.
   *
   * @throws {MetadataError | TransportFault}
   */
  read(needed: readonly MetadataMember[], signal: AbortSignal): Promise<ServerMetadata>
}

const FRESH_MS = 3_600_000
/** While the provider does not answer, old metadata serves on so long: endpoints rarely move. */
const STALE_MS = 86_400_000

/** @see RFC 8414 §3; OpenID Connect Discovery 1.0 §4; SMART App Launch 2.2 §4 (`smart-configuration`) */
export function createMetadataReader(
  connection: Connection,
  transport: Transport,
  nowMs: () => number,
): MetadataReader {
  let found: { readonly document: Document; readonly atMs: number } | undefined

  async function load(signal: AbortSignal): Promise<Document> {
    const age = found === undefined ? Number.POSITIVE_INFINITY : Math.abs(nowMs() - found.atMs)
    if (found !== undefined && age < FRESH_MS) return found.document
    try {
      const document = await fetchDocument(connection, transport, signal)
      found = { document, atMs: nowMs() }
      return document
    } catch (error) {
      // A server that now states another issuer is believed; one that is silent is not.
      const isWrong = error instanceof MetadataError && error.finding === 'issuer_mismatch'
      if (found !== undefined && age < STALE_MS && !isWrong) return found.document
      throw error
    }
  }

  return {
    async read(needed, signal) {
      const usesMtls = connection.authentication.method === 'tls_client_auth'
      const isComplete = needed.every((name) => connection[name] !== undefined)
      if (
        connection.metadataUrls.length === 0 ||
        (isComplete && !usesMtls && knowsAudience(connection))
      ) {
        return ownMetadata(connection, needed)
      }
      const document = await load(signal)
      const own = ownMetadata(connection, [])
      const server = { ...document, ...own, namesItself: document.namesItself }
      for (const name of needed) {
        if (server[name] === undefined) {
          throw new MetadataError('endpoint_missing', { expected: SPELLING[name] })
        }
      }
      return server
    },
  }
}

type Document = ServerMetadata

const SPELLING: Readonly<Record<MetadataMember, string>> = {
  tokenEndpoint: 'token_endpoint',
  authorizationEndpoint: 'authorization_endpoint',
  deviceAuthorizationEndpoint: 'device_authorization_endpoint',
}

/** An assertion for the issuer needs its name, which SMART servers state in their metadata only. */
function knowsAudience({ authentication, bearerAssertion, issuer }: Connection): boolean {
  if (issuer !== undefined) return true
  const profile =
    authentication.method === 'private_key_jwt'
      ? authentication.assertion
      : bearerAssertion?.profile
  return profile?.audience !== 'issuer'
}

function ownMetadata(connection: Connection, needed: readonly MetadataMember[]): ServerMetadata {
  const { issuer } = connection
  const server: ServerMetadata = { ...(issuer !== undefined && { issuer }), namesItself: false }
  const endpoints = Object.fromEntries(
    (Object.keys(SPELLING) as MetadataMember[]).flatMap((name) =>
      connection[name] === undefined ? [] : [[name, connection[name]]],
    ),
  )
  for (const name of needed) {
    if (endpoints[name] === undefined) {
      throw new MetadataError('endpoint_missing', { expected: SPELLING[name] })
    }
  }
  return { ...server, ...endpoints }
}

async function fetchDocument(
  connection: Connection,
  transport: Transport,
  signal: AbortSignal,
): Promise<Document> {
  let last: MetadataError | undefined
  for (const url of connection.metadataUrls) {
    const answer = await transport.send(
      { method: 'GET', url, headers: { accept: 'application/json' } },
      signal,
    )
    const body = parseBody(answer.text, answer.headers.get('content-type'))
    if (answer.status === 200 && body.kind === 'object') return readDocument(body.value, connection)
    last ??= new MetadataError('answer_malformed', { expected: url, answer })
    if (answer.status !== 404) throw last
  }
  throw last ?? new MetadataError('endpoint_missing', { expected: 'token_endpoint' })
}

function readDocument(value: Readonly<Record<string, unknown>>, connection: Connection): Document {
  const { issuer } = value
  // Only SMART metadata may do without.
  const accepted = [connection.issuer, ...connection.issuerAliases]
  if (connection.issuer !== undefined && !accepted.includes(issuer as string)) {
    throw new MetadataError('issuer_mismatch', {
      expected: connection.issuer,
      got: typeof issuer === 'string' ? issuer.slice(0, 300) : 'no `issuer`',
    })
  }
  const mtls = value.mtls_endpoint_aliases
  const mtlsTokenEndpoint =
    typeof mtls === 'object' && mtls !== null ? urlIn(mtls, 'token_endpoint') : undefined
  const tokenEndpoint = urlIn(value, 'token_endpoint')
  const authorizationEndpoint = urlIn(value, 'authorization_endpoint')
  const deviceAuthorizationEndpoint = urlIn(value, 'device_authorization_endpoint')
  return {
    ...(typeof issuer === 'string' && { issuer }),
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
    ...(mtlsTokenEndpoint !== undefined && { mtlsTokenEndpoint }),
    ...(authorizationEndpoint !== undefined && { authorizationEndpoint }),
    ...(deviceAuthorizationEndpoint !== undefined && { deviceAuthorizationEndpoint }),
    namesItself: value.authorization_response_iss_parameter_supported === true,
  }
}

/** Whether it may be asked is judged when it is: see `createTransport`. */
function urlIn(value: object, name: string): string | undefined {
  const text = (value as Readonly<Record<string, unknown>>)[name]
  return typeof text === 'string' && URL.canParse(text) ? text : undefined
}
