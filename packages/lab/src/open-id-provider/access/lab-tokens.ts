import { createHmac, createPublicKey, randomBytes } from 'node:crypto'
import { signed } from '../../issuer/lab-issuer.ts'
import { createLabKey, type LabKey, publicJwk } from '../../issuer/lab-keys.ts'
import type { LabSignIn } from '../mint-lab-id-token.ts'
import type { AccessFlavour, LabGrant } from './access-flavour.ts'
import { changeWrongly, type LabTokenFault } from './token-faults.ts'

export interface IssuedToken {
  readonly grant: LabGrant
  readonly signIn: LabSignIn | undefined
  /** Of a JWT. */
  readonly claims: Readonly<Record<string, unknown>> | undefined
  /** There is none that was issued later to the same client for the same. */
  readonly isNewest: boolean
}

/** What is done to a token beside what the flavour does. */
export interface TokenChanges {
  readonly wrong?: readonly LabTokenFault[]
  /** Set over everything else; `undefined` removes. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

export interface LabTokens {
  issue(grant: LabGrant, signIn?: LabSignIn, changes?: TokenChanges): string
  /** What a token of this lab stands for, while it lives. */
  find(token: string): IssuedToken | undefined
  /** @returns whether there was any. */
  revoke(token: string): boolean
  /** @returns how many lived. */
  revokeAll(): number
}

/** Makes access tokens in the way of a flavour, and remembers them. */
export function createLabTokens(options: {
  readonly access: AccessFlavour
  readonly key: LabKey
  readonly now: () => number
}): LabTokens {
  const { access, key, now } = options
  const issued = new Map<string, Omit<IssuedToken, 'isNewest'>>()
  const newest = new Map<string, string>()

  function text(made: ReturnType<AccessFlavour['make']>, grant: LabGrant, changes: TokenChanges) {
    if (made === 'opaque')
      return `${access.opaquePrefix ?? ''}${randomBytes(48).toString('base64url')}`
    const faults = new Set(changes.wrong)
    const changed = changeWrongly({ ...made.claims }, grant, faults)
    const claims = { ...changed, ...changes.claims }
    const header = { ...made.header, alg: key.alg, kid: key.kid, ...changes.header }
    if (faults.has('alg-none')) return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`
    if (faults.has('hs256-with-public-key')) return confused(header, claims, key)
    if (faults.has('forged')) return signed(header, claims, createLabKey(key.alg))
    if (faults.has('unknown-key')) {
      const other = createLabKey(key.alg)
      return signed({ ...header, kid: other.kid }, claims, other)
    }
    const token = signed(header, claims, key)
    if (!faults.has('tampered')) return token
    const [first, , last] = token.split('.')
    return `${first}.${encode({ ...claims, sub: 'somebody-else' })}.${last}`
  }

  return {
    issue(grant, signIn, changes = {}) {
      const made = access.make(grant)
      const token = text(made, grant, changes)
      issued.set(token, { grant, signIn, claims: made === 'opaque' ? undefined : made.claims })
      newest.set(purposeOf(grant), token)
      return token
    },
    find(token) {
      const found = issued.get(token)
      if (found === undefined || found.grant.expiresAt <= now()) return undefined
      return { ...found, isNewest: newest.get(purposeOf(found.grant)) === token }
    },
    revoke: (token) => issued.delete(token),
    revokeAll() {
      const living = [...issued.values()].filter(({ grant }) => grant.expiresAt > now()).length
      issued.clear()
      return living
    },
  }
}

function purposeOf({ client, user, scopes, audience }: LabGrant): string {
  return JSON.stringify([client.clientId, user?.id, [...scopes].sort(), audience])
}

/** HS256 with the public key (as PEM) for the secret. */
function confused(header: object, claims: object, key: LabKey): string {
  const spki = createPublicKey({ key: publicJwk(key), format: 'jwk' })
  const pem = spki.export({ type: 'spki', format: 'pem' })
  const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
