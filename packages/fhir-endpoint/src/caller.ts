import type { Check } from '@scopegate/checks'
import type { Access, FhirBackend, Predicate } from '@scopegate/fhir-model'
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
      const userPatients = await findUserPatients(token, options)
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

const RELATED_PERSON = /(?:^|\/)RelatedPerson\/([A-Za-z0-9.-]{1,64})$/

/**
 * Whose relative the user is, read under an Access to that one RelatedPerson. `compileAccess`
 * judges whether the reference is ours at all.
 */
async function findUserPatients(
  token: VerifiedToken,
  { backend, baseUrl }: CallersOptions,
): Promise<readonly string[]> {
  const id = RELATED_PERSON.exec(token.fhirUser ?? '')?.[1]
  if (id === undefined || !token.scope.includes('user/')) return []
  const predicate: Predicate = { kind: 'id', ids: [id] }
  const none = new Map<string, Predicate>()
  const access: Access = {
    fingerprint: `related-person ${id}`,
    allowed: { c: none, r: new Map([['RelatedPerson', predicate]]), u: none, d: none, s: none },
  }
  const answer = await backend.read({ type: 'RelatedPerson', id }, access)
  if (answer.kind !== 'done') return []
  const body = JSON.parse(answer.version.body) as {
    active?: unknown
    patient?: { reference?: unknown }
  }
  if (body.active === false || typeof body.patient?.reference !== 'string') return []
  const reference = body.patient.reference
  const local = reference.startsWith(`${baseUrl}/`)
    ? reference.slice(baseUrl.length + 1)
    : reference
  const patient = /^Patient\/([A-Za-z0-9.-]{1,64})(?:\/_history\/\d+)?$/.exec(local)?.[1]
  return patient === undefined ? [] : [patient]
}
