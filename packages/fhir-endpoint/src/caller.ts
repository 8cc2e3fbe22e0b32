import type { Check } from '@scopegate/checks'
import type { Access, FhirBackend } from '@scopegate/fhir-model'
import type { VerifiedToken } from '@scopegate/oauth-model'
import {
  type AccessPolicy,
  type AccessRequest,
  type CompiledAccess,
  compileAccess,
  type Decision,
  decide,
} from '@scopegate/smart-scopes'
import { LRUCache } from 'lru-cache'
import { findUserPatients } from './find-user-patients.ts'

/** Who asks: the verified token and what it permits here. */
export interface Caller {
  readonly token: VerifiedToken
  readonly compiled: CompiledAccess
  readonly access: Access
  /** The checks of the authentication, all passed. */
  readonly checks: readonly Check[]
  /** Decides on the token alone, never on data; remembered for requests without joins. */
  decide(request: AccessRequest): Decision
}

export interface Callers {
  of(token: VerifiedToken, checks: readonly Check[]): Promise<Caller>
}

export interface CallersOptions {
  readonly policy: AccessPolicy
  readonly backend: FhirBackend
  readonly baseUrl: string
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** What the patients of a RelatedPerson are may change; so may nothing else about a token. */
const KEEP_MS = 60_000

/**
 * Compiles each token once and keeps the result by the token's fingerprint, for a minute or until
 * it expires. Whether a token is still good is the verifier's to say, on every request.
 */
export function createCallers(options: CallersOptions): Callers {
  const known = new LRUCache<string, Caller>({ max: 5000, ttl: KEEP_MS })
  return {
    async of(token, checks) {
      const cached = known.get(token.fingerprint)
      if (cached !== undefined) return cached
      const userPatients = await findUserPatients(token, options.backend, options.baseUrl)
      const compiled = compileAccess({ ...token, userPatients }, options.policy)
      const caller = createCaller(token, compiled, checks)
      const ttl = Math.min(KEEP_MS, token.expiresAt * 1000 - options.now())
      if (ttl > 0) known.set(token.fingerprint, caller, { ttl })
      return caller
    },
  }
}

export function createCaller(
  token: VerifiedToken,
  compiled: CompiledAccess,
  checks: readonly Check[],
): Caller {
  const decisions = new Map<string, Decision>()
  return {
    token,
    compiled,
    access: compiled.access,
    checks,
    decide(request) {
      if (request.joins !== undefined) return decide(compiled, request)
      const key = `${request.interaction} ${request.type ?? ''} ${request.conditional === true}`
      let decision = decisions.get(key)
      if (decision === undefined) {
        decision = decide(compiled, request)
        decisions.set(key, decision)
      }
      return decision
    },
  }
}
