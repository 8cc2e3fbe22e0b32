import type { DoctorFinding } from '@scopegate/admin-api'

export type Finding = DoctorFinding

/** One thing to look at. */
export interface Examination {
  /** What is looked at: `issuer https://idp.example`. */
  readonly subject: string
  /** Asks somebody else over the network, which takes time and depends on them. */
  readonly isRemote: boolean
  examine(signal: AbortSignal): Promise<readonly Told[]>
}

/** What an examination tells; its subject is added. */
export type Told = Omit<Finding, 'subject'>

export function pass(check: string, found: string): Told {
  return { check, outcome: 'pass', found }
}

export function warn(check: string, found: string, fix: string): Told {
  return { check, outcome: 'warn', found, fix }
}

export function fail(check: string, found: string, fix: string): Told {
  return { check, outcome: 'fail', found, fix }
}

/** Why something could not be done, in a few words and without addresses of memory or files. */
export function reasonOf(error: unknown): string {
  const { code, cause, message } = (error ?? {}) as NodeJS.ErrnoException & { cause?: unknown }
  if (typeof code === 'string') return WORDS[code] ?? code
  if (cause !== undefined) return reasonOf(cause)
  return typeof message === 'string' && message !== '' ? message.slice(0, 300) : 'an unknown error'
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'the name cannot be resolved (ENOTFOUND)',
  EAI_AGAIN: 'the name server does not answer (EAI_AGAIN)',
  ECONNRESET: 'the connection was cut off (ECONNRESET)',
  ETIMEDOUT: 'no answer in time (ETIMEDOUT)',
  EHOSTUNREACH: 'no route to the host (EHOSTUNREACH)',
  CERT_HAS_EXPIRED: 'its certificate has expired (CERT_HAS_EXPIRED)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not known here (SELF_SIGNED_CERT_IN_CHAIN)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not known here (UNABLE_TO_GET_ISSUER_CERT_LOCALLY)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its chain is incomplete, or its CA unknown (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names (ERR_TLS_CERT_ALTNAME_INVALID)',
}
