import { randomUUID } from 'node:crypto'
import type { TokenFailure } from '@scopegate/oauth-model'
import type { Connection } from '../connection.ts'
import type { FetchedToken, TokenTarget } from '../token-request.ts'
import { isLoopbackHost } from '../transport/loopback-host.ts'
import type { SignInRequester } from './sign-in-requester.ts'

export interface SignInsDeps {
  readonly connections: readonly Connection[]
  readonly requester: SignInRequester
  /** Keeps what came: `TokenBroker.storeGrant`. */
  readonly storeGrant: (
    connection: string,
    grant: { readonly token: FetchedToken; readonly subject?: string },
  ) => Promise<void>
  /** Any server of one installation ends what another began: the state is sealed, not remembered. */
  readonly sealer: {
    seal(plain: string, context: string): string
    unseal(sealed: string, context: string): Buffer
  }
  /**
   * Whether this is the first use of an id, across all servers of one installation: of many at once
   * exactly one gets `true`. @param expiresAt epoch seconds: until then it is remembered
   */
  readonly useOnce: (id: string, expiresAt: number) => Promise<boolean>
  /** Where this server takes users back itself; see `completeCallback`. */
  readonly callbackUri?: string
  readonly nowMs: () => number
}

/** A sign-in that cannot begin or go on; nothing in it is secret. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused'
  /** As in `TokenFailure`. */
  readonly code: string
  readonly fix: string
  readonly failure: TokenFailure | undefined

  constructor(code: string, why: string, fix: string, failure?: TokenFailure) {
    super(why)
    this.code = code
    this.fix = fix
    this.failure = failure
  }
}

export interface SignIns {
  /** @throws {SignInRefused} */
  begin(
    connection: string,
    how: { readonly kind: 'code'; readonly redirectUri: string } | { readonly kind: 'device' },
  ): Promise<SignInBegun>
  /** @throws {SignInRefused} */
  complete(
    connection: string,
    id: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<SignInCompleted>
  /**
   * What a user came back with to `callbackUri`; the connection is in its `state`.
   *
   * @throws {SignInRefused}
   */
  completeCallback(
    parameters: Readonly<Record<string, string>>,
  ): Promise<SignInCompleted & { readonly connection: string }>
}

export type SignInBegun =
  | {
      readonly kind: 'code'
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
  | { readonly outcome: 'done'; readonly subject?: string; readonly scopes: readonly string[] }

type Pending =
  | { readonly kind: 'code'; readonly redirectUri: string; readonly codeVerifier: string }
  | { readonly kind: 'device'; readonly deviceCode: string; readonly intervalSeconds: number }

type Sealed = Pending & { readonly untilMs: number; readonly nonce: string }

const CODE_SECONDS = 900
const MAX_SLOWED = 1000

/**
 * Sign-ins of users for connections. What is between beginning and end travels sealed as the id,
 * which is the `state` of an authorization request: the verifier in it is of no use to who sees it.
 * An id works once: whoever finds the address of an authorization request later cannot sign in over
 * whom it was for.
 */
export function createSignIns(deps: SignInsDeps): SignIns {
  const { requester, sealer, nowMs } = deps
  const connections = new Map(deps.connections.map((each) => [each.name, each]))
  /** Intervals that `slow_down` made longer, by id. */
  const slowed = new Map<string, number>()

  function targetOf(name: string): TokenTarget {
    const connection = connections.get(name)
    const grants = ['authorization_code', 'device_code', 'refresh_token']
    if (connection === undefined || !grants.includes(connection.grant)) {
      throw new SignInRefused(
        'sign_in_not_offered',
        `nobody signs in for connection \`${name.slice(0, 100)}\``,
        'set `grant: authorization_code` or `grant: device_code`',
      )
    }
    return {
      connection,
      scopes: connection.scopes,
      audience: connection.audience,
      subject: undefined,
    }
  }

  function seal(name: string, pending: Pending, seconds: number): string {
    const sealed: Sealed = { ...pending, untilMs: nowMs() + seconds * 1000, nonce: randomUUID() }
    return `${name}.${sealer.seal(JSON.stringify(sealed), contextOf(name))}`
  }

  function open(name: string, id: string): Sealed {
    try {
      const text = id.startsWith(`${name}.`) ? id.slice(name.length + 1) : ''
      const sealed: Sealed = JSON.parse(sealer.unseal(text, contextOf(name)).toString('utf8'))
      if (sealed.untilMs > nowMs()) return sealed
    } catch {
      // Whatever it is, it was not begun here.
    }
    throw unknownSignIn()
  }

  const signIns: SignIns = {
    async begin(name, how) {
      const target = targetOf(name)
      const signal = AbortSignal.timeout(60_000)
      if (how.kind === 'device') {
        const begun = await requester.beginDevice(target, signal)
        if (begun.kind === 'failed') throw refusalOf(begun.failure)
        const { pending, kind: _, ...shown } = begun
        const id = seal(name, { kind: 'device', ...pending }, begun.expiresInSeconds)
        return { kind: 'device', id, ...shown, intervalSeconds: pending.intervalSeconds }
      }
      checkRedirectUri(target.connection, how.redirectUri, deps.callbackUri)
      const codeVerifier = `${randomUUID()}${randomUUID()}`
      const { redirectUri } = how
      const id = seal(name, { kind: 'code', redirectUri, codeVerifier }, CODE_SECONDS)
      const begun = await requester.beginCode(target, {
        ...{ redirectUri, codeVerifier, signal },
        state: id,
      })
      if (begun.kind === 'failed') throw refusalOf(begun.failure)
      const { authorizationUrl } = begun
      return { kind: 'code', id, authorizationUrl, expiresInSeconds: CODE_SECONDS }
    },

    async complete(name, id, parameters) {
      const target = targetOf(name)
      const pending = open(name, id)
      const signal = AbortSignal.timeout(60_000)
      const intervalSeconds =
        pending.kind === 'device' ? (slowed.get(id) ?? pending.intervalSeconds) : 0
      const outcome =
        pending.kind === 'code'
          ? await requester.completeCode(
              target,
              { ...pending, state: id },
              new URLSearchParams(parameters),
              signal,
            )
          : await requester.pollDevice(target, { ...pending, intervalSeconds }, signal)
      if (outcome.kind === 'pending') {
        const [oldest] = slowed.keys()
        if (slowed.size >= MAX_SLOWED && oldest !== undefined) slowed.delete(oldest)
        if (outcome.intervalSeconds > intervalSeconds) slowed.set(id, outcome.intervalSeconds)
        return { outcome: 'pending', intervalSeconds: outcome.intervalSeconds }
      }
      slowed.delete(id)
      if (outcome.kind === 'failed') throw refusalOf(outcome.failure)
      const { token } = outcome
      if (token.refreshToken === undefined) throw withoutRefreshToken(target.connection)
      // The text of an id may be written in several ways, what is sealed in it may not.
      const { nonce, untilMs } = pending
      if (!(await deps.useOnce(`connection sign-in ${nonce}`, Math.ceil(untilMs / 1000)))) {
        throw unknownSignIn()
      }
      const subject = token.signedInAs
      await deps.storeGrant(name, { token, ...(subject !== undefined && { subject }) })
      return {
        outcome: 'done',
        scopes: token.scopes,
        ...(subject !== undefined && { subject }),
      }
    },

    async completeCallback(parameters) {
      const { state = '' } = parameters
      const connection = state.slice(0, Math.max(0, state.indexOf('.')))
      const isHere = connections.has(connection) && open(connection, state).kind === 'code'
      if (!isHere) throw unknownSignIn()
      return { connection, ...(await signIns.complete(connection, state, parameters)) }
    },
  }
  return signIns
}

const contextOf = (name: string) => `connection_sign_in:${name}`

function checkRedirectUri(
  { redirectUri, name }: Connection,
  given: string,
  callbackUri: string | undefined,
): void {
  const url = URL.parse(given)
  const isLoopback = url?.protocol === 'http:' && isLoopbackHost(url.hostname)
  if (isLoopback || [redirectUri, callbackUri].some((each) => each === given)) return
  throw new SignInRefused(
    'redirect_uri_refused',
    'users come back to an address on loopback, to this server, or to the one of the connection',
    `use http://127.0.0.1:<port>/callback${callbackUri === undefined ? '' : ` or ${callbackUri}`}, or set \`redirectUri\` of connection \`${name}\``,
  )
}

function unknownSignIn(): SignInRefused {
  const why = 'this sign-in was not begun for this connection, has ended, or is too long ago'
  return new SignInRefused('sign_in_unknown', why, 'begin again')
}

function refusalOf(failure: TokenFailure): SignInRefused {
  return new SignInRefused(failure.code, failure.cause, failure.fix, failure)
}

function withoutRefreshToken({ preset, scopes }: Connection): SignInRefused {
  const fix =
    preset === 'google'
      ? 'set `authorizationParameters: { access_type: offline, prompt: consent }`'
      : scopes.includes('offline_access')
        ? 'allow refresh tokens for this client at the provider, and sign in again'
        : 'add `offline_access` to `scopes`, allow refresh tokens there, and sign in again'
  return new SignInRefused(
    'refresh_token_missing',
    'the user signed in, but no refresh token came: the connection would end with this one token',
    fix,
  )
}
