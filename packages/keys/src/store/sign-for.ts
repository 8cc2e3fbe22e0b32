import { createHash } from 'node:crypto'
import { createKeySigner } from '../create-key-signer.ts'
import { judgeSigning, type SigningRefusal, type SigningWish } from '../grants/judge-signing.ts'
import type { HeaderMember } from '../grants/signing-grant.ts'
import type { KeySigner, SignatureAlgorithm } from '../key-signer.ts'
import { findKeyWarnings, type KeyWarning } from '../material/key-warnings.ts'
import { signJws } from '../sign-jws.ts'
import { grantOf, type SetRows } from './key-rows.ts'
import type { PrivateKeys } from './private-keys.ts'
import type { SignKeysDeps } from './sign-keys-deps.ts'

/** Who asks for a signature. */
export interface SigningCaller {
  readonly clientId: string
  readonly roles: readonly string[]
}

/** What the audit keeps of a signature; no claim that may name a person. */
export interface SignatureRecord {
  readonly kid: string
  readonly alg: SignatureAlgorithm
  readonly grant: string
  readonly jti: unknown
  readonly aud: unknown
  /** Epoch seconds. */
  readonly exp: unknown
  /** base64url SHA-256 of the JWT's claims, as the second part of the JWT holds them. */
  readonly claimsSha256: string
}

export type SignAnswer =
  | {
      readonly ok: true
      readonly jwt: string
      readonly record: SignatureRecord
      readonly warnings: readonly KeyWarning[]
    }
  | {
      readonly ok: false
      readonly status: 403 | 409 | 429
      readonly why: string
      readonly fix?: string
      readonly refusals?: readonly SigningRefusal[]
      readonly retryAfterSeconds?: number
    }

interface SignForDeps extends Pick<SignKeysDeps, 'limit' | 'nowMs' | 'newId' | 'jwksUrl'> {
  readonly privateKeys: PrivateKeys
  /** As the database has it now. */
  readonly readSet: (name: string) => Promise<SetRows | undefined>
}

/**
 * Signs what a grant of the caller allows. Whether there is such a key is told only to those who
 * have a grant for it. The caller of this function records the signature before it gives it away.
 */
export async function signFor(
  deps: SignForDeps,
  name: string,
  caller: SigningCaller,
  wish: SigningWish,
): Promise<SignAnswer> {
  const { limit, nowMs, privateKeys } = deps
  const retryAfterSeconds = limit?.retryAfterSeconds(caller.clientId)
  if (retryAfterSeconds !== undefined) {
    const why = 'this client has asked for too many signatures'
    const fix = `wait ${retryAfterSeconds} seconds; a JWT can be used until it expires`
    return { ok: false, status: 429, why, fix, retryAfterSeconds }
  }
  limit?.count(caller.clientId)
  const rows = await deps.readSet(name)
  const mine = rows === undefined ? [] : grantsFor(rows, caller)
  if (rows === undefined || mine.length === 0) return notGranted(name, caller)
  const nowSeconds = Math.floor(nowMs() / 1000)
  const { algorithms } = rows.set
  const verdicts = mine.map((grant) => ({
    grant,
    verdict: judgeSigning(grant, wish, { algorithms, nowSeconds, jti: deps.newId() }),
  }))
  const [nearest] = verdicts
  const { grant, verdict } = verdicts.find(({ verdict }) => verdict.ok) ?? nearest!
  if (!verdict.ok) {
    const { refusals } = verdict
    const why = refusals.map(({ member, why: reason }) => `\`${member}\` ${reason}`).join('; ')
    const fix = refusals.map(({ member, allowed }) => `\`${member}\`: ${allowed}`).join('; ')
    return { ok: false, status: 403, why, fix: `allowed is ${fix}`, refusals }
  }
  const signer = signerOf(rows, privateKeys, verdict.alg)
  const warnings = expiryOf(rows, nowSeconds)
  const expired = warnings.find(({ kind }) => kind !== 'certificate_expires_soon')
  if (expired !== undefined && rows.set.when_expired === 'refuse') {
    return {
      ok: false,
      status: 409,
      why: `${expired.message}: nothing is signed`,
      fix: expired.fix,
    }
  }
  const lacks = [...verdict.headers].find((member) => member !== 'jku' && signer.x5c === undefined)
  if (lacks !== undefined && wish.headers?.[lacks] === true) {
    const why = `\`${lacks}\` was asked for, and the key has no certificate`
    return { ok: false, status: 409, why, fix: `\`scopegate key certificate ${name} --file …\`` }
  }
  const header = { typ: verdict.typ, ...headerOf(signer, verdict.headers, deps.jwksUrl(name)) }
  const jwt = await signJws(signer, header, verdict.claims)
  const { jti, aud, exp } = verdict.claims
  const { kid, alg } = signer
  const record = {
    ...{ kid, alg, jti, aud, exp },
    grant: `${grant.holder.kind}:${grant.holder.name}`,
    claimsSha256: hashOfClaims(jwt),
  }
  return { ok: true, jwt, warnings, record }
}

/** The key that signs now. */
export function signerOf(
  { keys }: SetRows,
  privateKeys: PrivateKeys,
  alg: SignatureAlgorithm,
): KeySigner {
  const current = keys.find(({ state }) => state === 'current')
  if (current === undefined) throw new Error('a key set has no current key')
  return createKeySigner(privateKeys.open(current), { alg })
}

export function grantsFor({ grants }: SetRows, { clientId, roles }: SigningCaller) {
  return grants
    .map(grantOf)
    .filter(({ holder: { kind, name } }) =>
      kind === 'client' ? name === clientId : roles.includes(name),
    )
}

/** The same words for a key that is not there: names of keys are not for guessing. */
export function notGranted(name: string, { clientId }: SigningCaller) {
  return {
    ok: false,
    status: 403,
    why: `client \`${clientId}\` has no grant to sign with a key \`${name.slice(0, 64)}\``,
    fix: 'an operator grants it: `scopegate key grant <name> --client <id> --audience <url>`',
  } as const
}

function expiryOf({ keys }: SetRows, nowSeconds: number): readonly KeyWarning[] {
  const current = keys.find(({ state }) => state === 'current')
  if (current?.not_after == null) return []
  const subject = `${current.set_name}/${current.kid}`
  const notBefore = current.not_before ?? 0
  return findKeyWarnings({ subject, notBefore, notAfter: current.not_after }, nowSeconds)
}

function headerOf(
  { x5t, x5tS256, x5c }: KeySigner,
  members: ReadonlySet<HeaderMember>,
  jku: string,
): Readonly<Record<string, unknown>> {
  const all = { x5t, 'x5t#S256': x5tS256, x5c, jku }
  return Object.fromEntries(
    Object.entries(all).filter(
      ([name, value]) => value !== undefined && members.has(name as HeaderMember),
    ),
  )
}

function hashOfClaims(jwt: string): string {
  const [, claims = ''] = jwt.split('.')
  return createHash('sha256').update(Buffer.from(claims, 'base64url')).digest('base64url')
}
