import type {
  ConnectionStatus,
  ConnectionToken,
  FailureKind,
  TokenWish,
} from '@scopegate/oauth-model'
import type { DoctorReport } from './ports.ts'

/** A connection to a provider, as operators see it; nothing of it is secret. */
export interface ConnectionView {
  readonly name: string
  readonly preset: string
  readonly grant: string
  readonly clientId: string
  /** As `authentication.method` of the connection. */
  readonly authentication: string
  readonly issuer?: string
  readonly tokenEndpoint?: string
  readonly scopes: readonly string[]
  readonly audience?: string
  /** Clients that may have its token. */
  readonly callers: readonly string[]
  /** Of the certificate that it shows or signs with; epoch seconds. */
  readonly certificateExpiresAt?: number
  /** Where requests with its token go. */
  readonly upstream?: string
  /** Whether a user signs in for it: `authorize` is possible. */
  readonly canSignIn: boolean
  readonly status: ConnectionStatus
}

/** Outbound connections and their tokens. */
export interface Connections {
  list(): Promise<readonly ConnectionView[]>
  find(name: string): Promise<ConnectionView | undefined>
  /** Clients that may have its token, as configured; `undefined` where there is no such connection. */
  callersOf(name: string): readonly string[] | undefined
  /** @throws TokenUnavailable */
  getToken(name: string, wish: TokenWish): Promise<ConnectionToken>
  /** Asks the provider again at the next call, whatever it said before. */
  retry(name: string): Promise<void>
  /** Missing: nobody can sign in here. */
  readonly signIns?: ConnectionSignIns
  /**
   * Looks step by step whether it is in order, with the token that is in use.
   *
   * @param resourceUrl tries the token there: only below the connection's own upstream.
   */
  examine?(name: string, resourceUrl?: string): Promise<ConnectionExamined>
}

export interface ConnectionExamined extends DoctorReport {
  readonly connection: string
  /** Of the first failure. */
  readonly kind?: FailureKind
}

/** A user signs in once, and the connection keeps the grant. */
export interface ConnectionSignIns {
  /**
   * @param how `redirectUri`: an address on loopback, or the one of the connection.
   * @throws {ConnectionSignInRefused}
   */
  begin(
    connection: string,
    how: { readonly kind: 'code'; readonly redirectUri: string } | { readonly kind: 'device' },
  ): Promise<SignInBegun>
  /**
   * Ends it, or tells that the user is not ready (device). Works once.
   *
   * @param parameters of the address that the user came back to; empty for a device.
   * @throws {ConnectionSignInRefused}
   */
  complete(
    connection: string,
    id: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<SignInCompleted>
}

export type SignInBegun =
  | {
      readonly kind: 'code'
      /** Names this sign-in for `complete`; the `state` of the request. */
      readonly id: string
      readonly authorizationUrl: string
      readonly expiresInSeconds: number
    }
  | {
      readonly kind: 'device'
      readonly id: string
      readonly userCode: string
      readonly verificationUri: string
      readonly verificationUriComplete?: string
      readonly intervalSeconds: number
      readonly expiresInSeconds: number
    }

export type SignInCompleted =
  | { readonly outcome: 'pending'; readonly intervalSeconds: number }
  | {
      readonly outcome: 'done'
      /** Who signed in, where the provider says. */
      readonly subject?: string
      readonly scopes: readonly string[]
    }

/** A sign-in that cannot go on; both texts are for the operator, without secrets. */
export class ConnectionSignInRefused extends Error {
  override readonly name = 'ConnectionSignInRefused'
  /** A row of the catalogue of provider errors. */
  readonly code: string
  readonly fix: string

  constructor(code: string, why: string, fix: string) {
    super(why)
    this.code = code
    this.fix = fix
  }
}
