import { createHash } from 'node:crypto'
import type { LabUser } from '../lab-user.ts'

/** Paths at the provider's origin. */
export interface FlavourPaths {
  readonly authorize: string
  readonly token: string
  readonly keys: string
  readonly userInfo: string
  readonly endSession: string
}

/** What the claims of one sign-in are made of. */
export interface FlavourSignIn {
  readonly user: LabUser
  readonly clientId: string
  readonly sessionId: string
  /** Epoch seconds. */
  readonly authTime: number
  readonly issuer: string
  /** Entra: the directory in the issuer. */
  readonly tenant: string
}

/** How a kind of provider looks from outside. */
export interface LabFlavour {
  readonly label: string
  /** For a provider that is started at `http://127.0.0.1:<port>` without an issuer of its own. */
  readonly issuerPath: string
  /** It serves many organisations at one origin, and names for all of them. */
  readonly hasTenants?: true
  /** Its keys are published without the algorithm that they sign with. */
  readonly keysWithoutAlgorithm?: true
  /** @param base path of the issuer, without a slash at its end. */
  readonly paths: (base: string) => FlavourPaths
  readonly subject: (user: LabUser, clientId: string) => string
  /** Claims of the ID token beside `iss`, `sub`, `aud`, `iat`, `exp` and `nonce`. */
  readonly idToken: (signIn: FlavourSignIn) => Readonly<Record<string, unknown>>
  /** Claims of userinfo beside `sub`. */
  readonly userInfo: (signIn: FlavourSignIn) => Readonly<Record<string, unknown>>
  /** Members of the token response beside the usual ones. */
  readonly tokenAnswer: (signIn: FlavourSignIn) => Readonly<Record<string, unknown>>
  /** Parameters of the authorization response beside `code` and `state`. */
  readonly answer: (signIn: FlavourSignIn) => Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Letters and digits that are always the same for the same text. */
export function stable(text: string, encoding: 'hex' | 'base64url' = 'hex'): string {
  return createHash('sha256').update(text).digest(encoding)
}

/** A UUID that is always the same for the same text. */
export function stableUuid(text: string): string {
  const hex = stable(text)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** First and last name. */
export function namesOf({ name }: LabUser): { given_name: string; family_name: string } {
  const [given_name = '', ...rest] = name.split(' ')
  return { given_name, family_name: rest.join(' ') }
}

/** `value` under `name`, or nothing. */
export function claim(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : { [name]: value }
}
