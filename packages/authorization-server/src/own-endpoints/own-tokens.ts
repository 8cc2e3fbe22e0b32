import { hash } from 'node:crypto'
import type { ExpectedAudience, TokenVerifier } from '@scopegate/oauth-model'
import {
  createTokenVerifier,
  type DpopOptions,
  type KeySource,
  type OpaqueResolver,
  rfc9068Issuer,
} from '@scopegate/token-verify'
import type { Provider } from 'oidc-provider'
import type { ProtectedResource } from '../resources.ts'
import type { Revocations } from '../revocation/revocations.ts'

type Claims = Readonly<Record<string, unknown>>

/** A token that this server has issued, and that is good now. */
export interface OwnToken {
  readonly kind: 'access' | 'refresh'
  /** As in a JWT. An opaque token has the same: what is in its row. */
  readonly claims: Claims
  readonly clientId: string
  readonly grantId?: string
  /** What it is revoked by: the `jti` of a JWT, the SHA-256 of anything else. */
  readonly id: string
  /** Epoch seconds. */
  readonly expiresAt: number
}

export interface OwnTokens {
  /**
   * The token, whoever it was issued to; `undefined` if it is unknown, foreign, expired or revoked.
   * The proof of a bound token is not asked for: whoever sends the token here does not use it.
   *
   * @param hint which kind it may be, to look there first; the answer is the same without it
   */
  find(token: string, hint?: string): Promise<OwnToken | undefined>
  /** The same for a refresh token that was used already: whoever holds it may still end its grant. */
  findUsed(token: string): Promise<OwnToken | undefined>
  /** For the issuer's entry in a verifier. */
  readonly resolveOpaque: OpaqueResolver
  /** Of the tokens that are sent to the endpoints here, for whichever API they were issued. */
  readonly verifier: TokenVerifier
  readonly expected: ExpectedAudience
}

export interface OwnTokensDeps {
  readonly issuer: string
  readonly resources: readonly ProtectedResource[]
  readonly engine: () => Promise<Provider>
  readonly keySource: KeySource
  readonly revocations: Pick<Revocations, 'isRevoked'>
  /** The scopes and the launch context of a grant that is alive; `undefined` for others. */
  readonly findGrant: (
    grantId: string,
  ) => Promise<{ readonly scopes: readonly string[]; readonly context: object } | undefined>
  readonly clockToleranceSeconds: number
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly dpop?: DpopOptions
}

/** What the engine makes: 43 characters of base64url, for the default of 256 bits. */
const OPAQUE = /^[A-Za-z0-9_-]{20,200}$/

export function createOwnTokens(deps: OwnTokensDeps): OwnTokens {
  const { issuer, engine, revocations } = deps
  const now = () => Math.floor(deps.nowMs() / 1000)
  const expected = { audiences: deps.resources.map(({ url }) => url), issuers: [issuer] }

  async function resolveOpaque(token: string): Promise<Claims | undefined> {
    if (!OPAQUE.test(token)) return undefined
    const { AccessToken, ClientCredentials } = await engine()
    const found = (await AccessToken.find(token)) ?? (await ClientCredentials.find(token))
    if (found === undefined || !found.isValid) return undefined
    const { accountId, grantId } = found as { accountId?: string; grantId?: string }
    const { jkt } = found as { jkt?: string }
    return {
      ...found.extra,
      iss: issuer,
      sub: accountId ?? found.clientId,
      client_id: found.clientId,
      aud: found.aud,
      scope: found.scope,
      iat: found.iat,
      exp: found.exp,
      jti: hash('sha256', token, 'base64url'),
      ...(grantId === undefined ? {} : { grant_id: grantId }),
      ...(jkt === undefined ? {} : { cnf: { jkt } }),
    }
  }

  const verifier = createTokenVerifier({
    issuers: [{ ...rfc9068Issuer(issuer, deps.keySource), resolveOpaque }],
    clockToleranceSeconds: deps.clockToleranceSeconds,
    now,
    isRevoked: (token) => revocations.isRevoked(token),
    ...(deps.dpop === undefined ? {} : { dpop: deps.dpop }),
  })

  async function findAccessToken(token: string): Promise<OwnToken | undefined> {
    const sent = { isInspected: true }
    const verdict = await verifier.verify(`Bearer ${token}`, expected, sent)
    if (!verdict.ok) return undefined
    const { clientId, grantId, jti = '', expiresAt } = verdict.token
    // The tolerance is for those who verify by a clock of their own.
    if (expiresAt <= now()) return undefined
    const claims = token.includes('.') ? claimsOf(token) : await resolveOpaque(token)
    const grant = grantId === undefined ? { context: {} } : await deps.findGrant(grantId)
    if (claims === undefined || grant === undefined) return undefined
    return {
      kind: 'access',
      // Not all of the context fits into a token.
      claims: { ...grant.context, ...claims },
      clientId,
      id: jti,
      expiresAt,
      ...(grantId === undefined ? {} : { grantId }),
    }
  }

  async function findRefreshToken(
    token: string,
    isUsedToo: boolean,
  ): Promise<OwnToken | undefined> {
    if (!OPAQUE.test(token)) return undefined
    const found = await (await engine()).RefreshToken.find(token)
    if (found === undefined || found.isExpired) return undefined
    if (found.consumed !== undefined && !isUsedToo) return undefined
    const { clientId = '', grantId = '', accountId, iat, exp = 0 } = found
    const grant = await deps.findGrant(grantId)
    if (grant === undefined) return undefined
    return {
      kind: 'refresh',
      claims: {
        ...grant.context,
        iss: issuer,
        sub: accountId,
        client_id: clientId,
        scope: grant.scopes.join(' '),
        iat,
        exp,
      },
      clientId,
      grantId,
      id: hash('sha256', token, 'base64url'),
      expiresAt: exp,
    }
  }

  return {
    async find(token, hint) {
      if (token.includes('.')) return findAccessToken(token)
      return hint === 'refresh_token'
        ? ((await findRefreshToken(token, false)) ?? (await findAccessToken(token)))
        : ((await findAccessToken(token)) ?? (await findRefreshToken(token, false)))
    },
    findUsed: (token) => findRefreshToken(token, true),
    resolveOpaque,
    verifier,
    expected,
  }
}

/** Of a token that was verified. */
function claimsOf(jwt: string): Claims {
  const [, payload = ''] = jwt.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
}
