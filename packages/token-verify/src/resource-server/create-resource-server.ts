import { type AnyCheck, failed, failedApi } from '@scopegate/checks'
import type { VerifiedToken } from '@scopegate/oauth-model'
import { KeysUnavailable } from '../key-source.ts'
import { resolveIssuer } from '../presets/resolve-issuer.ts'
import { createTokenVerifier } from '../token-verifier.ts'
import { createUsedProofs } from '../used-proofs.ts'
import { type PresentableRequest, presentedBy } from './presented-request.ts'
import { challengeOf, type RefusedRequest, refusedRequest } from './refused-request.ts'
import { networkOf, settingsOf, type TrustedIssuer } from './trusted-issuer.ts'

export interface ResourceServerOptions {
  /** Whose tokens are accepted; its keys come from its discovery document unless it says otherwise. */
  readonly issuer: string | TrustedIssuer | readonly (string | TrustedIssuer)[]
  /** What tokens must be for: one of these in `aud`. Never optional. */
  readonly audience: string | readonly string[]
  /** What callers are told that they are at. Default `api`. */
  readonly realm?: string
  /**
   * The URL of this API as callers write it, without a path that routes match. Accepts tokens that
   * are bound to a key by DPoP (RFC 9449); without it they are refused.
   */
  readonly url?: string
  readonly clockToleranceSeconds?: number
  /** Asked for every token that is good otherwise. */
  readonly isRevoked?: (token: VerifiedToken) => boolean | Promise<boolean>
  /** Told when an issuer could not be asked, which the caller reads as 503. */
  readonly onUnavailable?: (error: Error) => void
  /** Epoch milliseconds. */
  readonly nowMs?: () => number
}

/** A request that may go on. */
export interface AuthenticatedRequest {
  readonly ok: true
  readonly token: VerifiedToken
  readonly scopes: ReadonlySet<string>
  readonly checks: readonly AnyCheck[]
}

export interface ResourceServer {
  /**
   * Whether a request carries a token that opens this API, with all of `scopes` in it; else the
   * answer for its caller. Does not throw for what a caller sends.
   *
   * @see RFC 6750 §3.1; RFC 9068 §4
   */
  authenticate(
    request: PresentableRequest,
    needs?: { readonly scopes?: readonly string[] },
  ): Promise<AuthenticatedRequest | RefusedRequest>
  /** `WWW-Authenticate` for a refusal of your own: the scopes that would do. */
  challenge(scopes?: readonly string[]): string
}

const RETRY_SECONDS = 5

/**
 * Protects an app in its own process: tokens of the issuers, for the audience, with the scopes that
 * a route needs. Keys are fetched on first use, kept, and renewed.
 *
 * @throws {TypeError} when the options cannot be right: no audience, a preset without its parts.
 */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  const nowMs = options.nowMs ?? Date.now
  const realm = options.realm ?? 'api'
  const audiences = listOf(options.audience)
  if (audiences.length === 0 || audiences.includes('')) {
    throw new TypeError('audience: tokens for other APIs would pass; name what is in their `aud`')
  }
  const issuers = listOf(options.issuer).map((issuer) => {
    const settings = settingsOf(issuer)
    return resolveIssuer(settings, { network: networkOf(settings), nowMs })
  })
  if (issuers.length === 0) throw new TypeError('issuer: name at least one')
  const trusted = issuers.flatMap(({ issuer, aliases = [] }) => [issuer, ...aliases])
  const verifier = createTokenVerifier({
    issuers,
    clockToleranceSeconds: options.clockToleranceSeconds ?? 30,
    now: () => Math.floor(nowMs() / 1000),
    ...(options.isRevoked === undefined ? {} : { isRevoked: options.isRevoked }),
    ...(options.url === undefined ? {} : { dpop: { usedProofs: createUsedProofs(nowMs) } }),
  })
  const { dpopAlgorithms } = verifier

  async function verdictOn(
    authorization: string | undefined,
    presentation: ReturnType<typeof presentedBy>['presentation'],
  ) {
    try {
      const expected = { audiences, issuers: trusted }
      return await verifier.verify(authorization, expected, presentation)
    } catch (error) {
      if (!(error instanceof KeysUnavailable)) throw error
      options.onUnavailable?.(error)
      return undefined
    }
  }

  return {
    async authenticate(request, { scopes: needed = [] } = {}) {
      const { authorization, presentation } = presentedBy(request, options.url)
      const usedDpop = /^dpop /i.test(authorization ?? '')
      const how = { realm, dpopAlgorithms, usedDpop, scopes: needed }
      const verdict = await verdictOn(authorization, presentation)
      if (verdict === undefined) {
        const headers = { 'Retry-After': String(RETRY_SECONDS) }
        return refusedRequest([failed('keys_unavailable')], how, headers)
      }
      const nonce: Record<string, string> =
        verdict.dpopNonce === undefined ? {} : { 'DPoP-Nonce': verdict.dpopNonce }
      if (!verdict.ok) return refusedRequest(verdict.checks, how, nonce)
      const { token } = verdict
      const held = token.scope.split(' ').filter((scope) => scope !== '')
      const scopes = new Set(held)
      if (!needed.every((scope) => scopes.has(scope))) {
        const detail = { expected: needed.join(' '), got: held.length === 0 ? 'none' : token.scope }
        const missing = failedApi('api_scope_missing', detail)
        return refusedRequest([...verdict.checks, missing], how, nonce)
      }
      const passed: AnyCheck = {
        name: 'scopes',
        outcome: 'pass',
        expected: needed.length === 0 ? 'none' : needed.join(' '),
      }
      return { ok: true, token, scopes, checks: [...verdict.checks, passed] }
    },

    challenge(scopes = []) {
      const missing = failedApi('api_scope_missing', { expected: scopes.join(' '), got: 'less' })
      const about = scopes.length === 0 ? failed('token_missing') : missing
      return challengeOf([about], { realm, dpopAlgorithms, scopes }) ?? `Bearer realm="${realm}"`
    },
  }
}

function listOf<Item>(value: Item | readonly Item[]): readonly Item[] {
  return Array.isArray(value) ? value : [value as Item]
}
