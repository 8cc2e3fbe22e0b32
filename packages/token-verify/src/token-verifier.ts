import { hash } from 'node:crypto'
import { CHECK_ORDER, type Check, failed, passed } from '@scopegate/checks'
import type {
  ExpectedAudience,
  Presentation,
  TokenVerdict,
  TokenVerifier,
  VerifiedToken,
} from '@scopegate/oauth-model'
import { LRUCache } from 'lru-cache'
import { SIGNATURE_ALGORITHMS, verifySignature } from './algorithms.ts'
import { checkAudience } from './check-audience.ts'
import { checkTimes } from './check-times.ts'
import { checkType } from './check-type.ts'
import type { Issuer } from './issuer.ts'
import type { VerificationKey } from './key-source.ts'
import { type ReadToken, readBearer, readJwt } from './read-token.ts'
import { shown } from './shown.ts'

export interface TokenVerifierOptions {
  readonly issuers: readonly Issuer[]
  readonly clockToleranceSeconds: number
  /** Epoch seconds. */
  readonly now: () => number
  /** Whether a token whose signature is good was revoked before it expired. */
  readonly isRevoked?: (token: VerifiedToken) => boolean | Promise<boolean>
  /** How many verified tokens are remembered. */
  readonly cacheEntries?: number
}

/** What does not change while a token lives: everything but times, audience, trust and revocation. */
interface KnownToken {
  readonly issuer: Issuer
  readonly key: VerificationKey
  readonly token: VerifiedToken
  readonly notBefore: number | undefined
  readonly isBound: boolean
}

type Judged =
  | { readonly ok: true; readonly known: KnownToken }
  | { readonly ok: false; readonly checks: readonly Check[]; readonly read?: ReadToken }

/** What a good token has passed, in order. One list for all: most requests make no other. */
const ALL_PASSED: readonly Check[] = Object.freeze(
  CHECK_ORDER.slice(0, CHECK_ORDER.indexOf('scopes')).map((name) => passed(name)),
)

/**
 * Verifies bearer tokens of known issuers. Signatures are checked once per token; the times, the
 * audience and the trust of the endpoint are checked at every call.
 *
 * `verify` throws `KeysUnavailable` when a key set could not be had: an outage is never the fault
 * of the token. It does not look at scopes.
 *
 * @see RFC 9068 §4; RFC 8725
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { now, clockToleranceSeconds, isRevoked } = options
  const issuers = new Map(options.issuers.map((issuer) => [issuer.issuer, issuer]))
  const cache = new LRUCache<string, KnownToken>({ max: options.cacheEntries ?? 10_000 })

  async function verify(
    authorization: string | undefined,
    expected: ExpectedAudience,
    presentation: Presentation = {},
  ): Promise<TokenVerdict> {
    const bearer = readBearer(authorization, {
      repeated: presentation.authorizationRepeated ?? false,
      inParameters: presentation.tokenInParameters ?? false,
    })
    if (!bearer.ok) return { ok: false, checks: bearer.checks }

    const cacheKey = hash('sha256', bearer.text, 'base64url')
    let known = cache.get(cacheKey)
    if (known !== undefined && !known.issuer.keys.holds(known.key)) {
      cache.delete(cacheKey)
      known = undefined
    }
    if (known === undefined) {
      const fingerprint = fingerprintOf(cacheKey)
      const judged = await judge(bearer.text, fingerprint, expected)
      if (!judged.ok) {
        return {
          ok: false,
          checks: [...bearer.checks, ...judged.checks],
          claimed: { ...claimedBy(judged.read), fingerprint },
        }
      }
      known = judged.known
      // Nothing that has expired by now is worth remembering.
      if (known.token.expiresAt > now()) cache.set(cacheKey, known)
    }
    return conclude(known, expected)
  }

  async function judge(
    text: string,
    fingerprint: string,
    expected: ExpectedAudience,
  ): Promise<Judged> {
    const reading = readJwt(text)
    if (!reading.ok) return { ok: false, checks: [reading.check] }
    const read = reading.token
    const checks: Check[] = [passed('format')]
    const refuse = (check: Check): Judged => ({ ok: false, checks: [...checks, check], read })

    const issuer = findIssuer(read, expected)
    if ('outcome' in issuer) return refuse(issuer)
    checks.push(passed('issuer_known', { got: issuer.issuer }))

    const alg = checkAlgorithm(read, issuer)
    if (typeof alg !== 'string') return refuse(alg)
    checks.push(passed('algorithm', { got: alg }))

    const { kid } = read.header
    const name = typeof kid === 'string' ? kid : undefined
    const [key, ...more] = await issuer.keys.find(alg, name)
    if (key === undefined) {
      return refuse(
        failed('key_unknown', {
          expected: issuer.keys.description,
          got: name === undefined ? 'no kid' : shown(name),
        }),
      )
    }
    if (more.length > 0) return refuse(failed('key_ambiguous', { got: shown(name ?? 'no kid') }))
    checks.push(passed('key'))

    if (!verifySignature(alg, key.key, read.signingInput, read.signature)) {
      return refuse(failed('signature_invalid'))
    }
    checks.push(passed('signature'))

    const type = checkType(read, issuer)
    if (type.outcome === 'fail') return refuse(type)

    return {
      ok: true,
      known: {
        issuer,
        key,
        token: verifiedToken(read, issuer, fingerprint),
        notBefore: numberOf(read.claims.nbf),
        isBound: read.claims.cnf !== undefined,
      },
    }
  }

  function findIssuer(read: ReadToken, expected: ExpectedAudience): Issuer | Check {
    const name = read.claims.iss
    const trusted = expected.issuers.map(shown).join(', ')
    if (typeof name !== 'string' || name === '') {
      return failed('issuer_missing', { expected: trusted })
    }
    const issuer = issuers.get(name)
    if (issuer === undefined) {
      return failed('issuer_unknown', { expected: trusted, got: shown(name) })
    }
    return trust(issuer, expected) ?? issuer
  }

  async function conclude(
    { token, issuer, notBefore, isBound }: KnownToken,
    expected: ExpectedAudience,
  ): Promise<TokenVerdict> {
    const failure =
      trust(issuer, expected) ??
      failureOf(
        checkTimes(
          { exp: token.expiresAt, nbf: notBefore, iat: token.issuedAt || undefined },
          now(),
          clockToleranceSeconds,
        ),
      ) ??
      failureOf(checkAudience(token.audience, expected.audiences)) ??
      // Taken for a bearer token, a bound one would lose what protects it when it is stolen.
      (isBound ? failed('binding_unsupported') : undefined) ??
      (isRevoked !== undefined && (await isRevoked(token)) ? failed('token_revoked') : undefined)
    if (failure === undefined) return { ok: true, token, checks: ALL_PASSED }

    const before = ALL_PASSED.findIndex(({ name }) => name === failure.name)
    const { issuer: name, clientId, fingerprint } = token
    return {
      ok: false,
      checks: [...ALL_PASSED.slice(0, before), failure],
      claimed: { issuer: name, clientId, fingerprint },
    }
  }

  return { verify }
}

function failureOf(check: Check): Check | undefined {
  return check.outcome === 'fail' ? check : undefined
}

/** The first 16 bytes of the hash, for logs and traces. */
function fingerprintOf(hashText: string): string {
  return Buffer.from(hashText, 'base64url').subarray(0, 16).toString('base64url')
}

function trust(issuer: Issuer, expected: ExpectedAudience): Check | undefined {
  if (expected.issuers.includes(issuer.issuer)) return undefined
  return failed('issuer_not_trusted_here', {
    expected: expected.issuers.map(shown).join(', '),
    got: shown(issuer.issuer),
  })
}

function checkAlgorithm({ header }: ReadToken, issuer: Issuer): string | Check {
  const accepted = issuer.algorithms ?? SIGNATURE_ALGORITHMS
  const expected = accepted.join(', ')
  const alg = header.alg
  if (typeof alg === 'string' && alg.toLowerCase() === 'none') {
    return failed('algorithm_none', { expected })
  }
  if (typeof alg !== 'string' || !accepted.includes(alg)) {
    return failed('algorithm_not_allowed', {
      expected,
      got: alg === undefined ? 'none given' : shown(alg),
    })
  }
  return alg
}

/** One spelling for what issuers spell differently: `scp` and lists of scopes, `azp`, `cid`, `appid`. */
function verifiedToken({ claims }: ReadToken, issuer: Issuer, fingerprint: string): VerifiedToken {
  const subject = textOf(claims.sub) ?? ''
  const scopes = claims.scope ?? claims.scp ?? ''
  const optional = {
    jti: textOf(claims.jti),
    patient: textOf(claims.patient),
    encounter: textOf(claims.encounter),
    fhirUser: textOf(claims.fhirUser),
    hasUser: isUnreadable(claims.fhirUser),
  }
  return Object.freeze({
    issuer: issuer.issuer,
    subject,
    clientId: clientIdOf(claims) ?? subject,
    audience: Object.freeze(listOf(claims.aud)),
    scope: listOf(scopes).join(' '),
    issuedAt: numberOf(claims.iat) ?? 0,
    expiresAt: numberOf(claims.exp) ?? 0,
    fingerprint,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  })
}

function clientIdOf(claims: ReadToken['claims']): string | undefined {
  return (
    textOf(claims.client_id) ?? textOf(claims.azp) ?? textOf(claims.cid) ?? textOf(claims.appid)
  )
}

function claimedBy(read: ReadToken | undefined): { issuer?: string; clientId?: string } {
  if (read === undefined) return {}
  const issuer = textOf(read.claims.iss)
  const clientId = clientIdOf(read.claims)
  return {
    ...(issuer === undefined ? {} : { issuer: shown(issuer) }),
    ...(clientId === undefined ? {} : { clientId: shown(clientId) }),
  }
}

/** As an empty text is. Taken for no claim, it would make a system of a user. */
function isUnreadable(claim: unknown): true | undefined {
  return claim !== undefined && claim !== null && textOf(claim) === undefined ? true : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string')
  return typeof value === 'string' && value !== '' ? [value] : []
}
