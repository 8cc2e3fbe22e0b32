import type { SigningGrant } from '../grants/signing-grant.ts'
import type { SignatureAlgorithm } from '../key-signer.ts'
import type { KeyWarning } from '../material/key-warnings.ts'

export type KeyState = 'next' | 'current' | 'retired'

/** A public key as it is published. */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kid: string }

/** One key of a set, as anybody may see it: nothing of it is secret. */
export interface KeyView {
  readonly kid: string
  /** `next`: published, signs after the next rotation. `retired`: what it signed may still be verified. */
  readonly state: KeyState
  readonly publicJwk: PublicJwk
  readonly certificate?: {
    readonly subject: string
    readonly issuer: string
    /** Epoch seconds. */
    readonly notBefore: number
    /** Epoch seconds. */
    readonly notAfter: number
    readonly x5t: string
    readonly x5tS256: string
    /** The chain, leaf first. */
    readonly pem: string
  }
  /** Epoch seconds. */
  readonly publishedAt: number
  /** Epoch seconds. */
  readonly retiredAt?: number
}

/** Keys under one name: one signs, one comes next, others are retired and still published. */
export interface KeySetView {
  readonly name: string
  /** `config`: declared in the configuration, read-only elsewhere. */
  readonly source: 'config' | 'stored'
  /** The usual one first. */
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Of what kind keys are made; missing where they are imported. */
  readonly generated?: GeneratedKind
  readonly whenExpired: WhenExpired
  /** Epoch seconds. */
  readonly createdAt: number
  /** Current, next, then retired, the latest first. */
  readonly keys: readonly KeyView[]
  readonly grants: readonly SigningGrant[]
  readonly warnings: readonly KeyWarning[]
}

export const WHEN_EXPIRED = ['refuse', 'warn'] as const
export type WhenExpired = (typeof WHEN_EXPIRED)[number]

export const GENERATED_KINDS = [
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'ec-p256',
  'ec-p384',
  'ec-p521',
  'ed25519',
] as const
export type GeneratedKind = (typeof GENERATED_KINDS)[number]

export type KeyAnswer<Value> =
  | ({ readonly ok: true } & Value)
  /** `fix` says what to do; both are shown to the operator. */
  | {
      readonly ok: false
      readonly status: 400 | 403 | 404 | 409
      readonly why: string
      readonly fix?: string
    }

export const KEY_SET_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Words of addresses beside the names of keys. */
const TAKEN_NAMES = new Set(['rotate'])

/** Why a name cannot be one, or `undefined`. */
export function nameProblem(name: string): string | undefined {
  if (!KEY_SET_NAME.test(name)) {
    return 'the name of a key must be of a-z, 0-9, `.`, `_` and `-`, at most 63, and begin with a letter or digit'
  }
  return TAKEN_NAMES.has(name) ? `\`${name}\` is taken: choose another name` : undefined
}
