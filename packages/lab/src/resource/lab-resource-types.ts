import type { IncomingHttpHeaders, Server } from 'node:http'
import type { LabAccessToken } from '../open-id-provider/lab-open-id-provider-types.ts'
import type { LabTls } from '../serve-on-loopback.ts'

export interface LabResourceOptions {
  /** Who knows the tokens: a lab token server, or anything that reads them. */
  readonly tokens: { readAccessToken(token: string): LabAccessToken | undefined }
  /** Takes the newest token only, and refuses one that lives but was replaced. */
  readonly newestOnly?: boolean
  /** Refuses tokens without it: 403, as Keycloak's userinfo does without `openid`. */
  readonly requiredScope?: string
  /** 0, the default: any port that is free. */
  readonly port?: number
  readonly tls?: LabTls
}

/** A request that came. */
export interface LabResourceRequest {
  readonly method: string
  /** As it stood in the request line. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  /** How many `Authorization` headers it had. */
  readonly authorizations: number
  /** First 16 bytes of the SHA-256 of its bearer token, base64url. */
  readonly tokenFingerprint: string | undefined
  readonly status: number
  /** Why it was refused. */
  readonly refused?: 'no_token' | 'token_not_valid' | 'token_not_newest' | 'scope' | 'told_to'
  /** Bytes of the body that came, as far as it was read by then. */
  bodyBytes: number
}

/** A small resource server that takes nothing but live tokens, and does what is hard to pass on. */
export interface LabResource {
  readonly url: string
  readonly server: Server
  /** Every request since the start or the last `forget`, in order of its answer. */
  readonly requests: LabResourceRequest[]
  readonly counts: { readonly served: number; readonly refused: number }
  /** Refuses that many requests more, whatever token they have; Infinity: all. */
  refusals: number
  /** Instead of `Bearer error="invalid_token"`; `null`: a 401 without a challenge. */
  challenge: string | null | undefined
  forget(): void
  close(): Promise<void>
}
