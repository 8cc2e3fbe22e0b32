import { type FormPair, type ReadBody, readBody, requestFacts } from '@scopegate/http'

/**
 * One request, or one entry of a batch, as the steps of the pipeline see it. Everything is relative
 * to the endpoint; nothing of the connection (Host, forwarded headers) reaches a decision.
 */
export interface Call {
  readonly correlationId: string
  /** Epoch milliseconds. */
  readonly startedAtMs: number
  readonly method: string
  /** Path below the base and query, as sent: for traces. */
  readonly target: string
  /** Decoded segments below the base; `[]` for the base itself. */
  readonly segments: readonly string[]
  readonly query: readonly FormPair[]
  /** Value of a header; the name in lower case. */
  header(name: string): string | undefined
  readonly repeatedHeaders: readonly string[]
  /** Thumbprint of the certificate that the client has shown on its connection. */
  readonly clientCertificate?: string
  /** Of the peer; missing without a connection. */
  readonly address?: string
  body(limitBytes: number): Promise<ReadBody>
  /** Headers that let a page of another origin read the answer. */
  readonly corsHeaders: Readonly<Record<string, string>>
  /** Position in a batch or transaction. */
  readonly entry?: number
}

export interface OpenCallOptions {
  readonly correlationId: string
  readonly startedAtMs: number
  readonly target: string
  readonly segments: readonly string[]
  readonly query: readonly FormPair[]
  readonly corsHeaders: Readonly<Record<string, string>>
  /** Who sent it, by the peer's address and `X-Forwarded-For`. */
  readonly addressOf: (peer: string | undefined, forwardedFor: string | undefined) => string
}

/** The call of a request that came over HTTP. */
export function openCall(request: Request, { addressOf, ...options }: OpenCallOptions): Call {
  const { headers } = request
  const { repeatedHeaders, remoteAddress, forwardedFor, clientCertificate } = requestFacts(request)
  return {
    ...options,
    method: request.method,
    header: (name) => headers.get(name) ?? undefined,
    repeatedHeaders,
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(remoteAddress === undefined ? {} : { address: addressOf(remoteAddress, forwardedFor) }),
    body: (limitBytes) => readBody(request, { limitBytes }),
  }
}
