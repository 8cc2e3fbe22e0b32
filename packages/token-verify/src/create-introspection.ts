import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type ClientAuthentication, createClientAuthentication } from './client-authentication.ts'
import type { IssuerAddress } from './discovery.ts'
import { postForm } from './fetch-json.ts'
import { type IntrospectionForm, RFC_7662 } from './introspection-form.ts'
import type { OpaqueResolver } from './issuer.ts'
import { IntrospectionUnavailable } from './key-source.ts'
import type { NetworkPolicy } from './network-policy.ts'

export interface IntrospectionOptions {
  readonly issuer: string
  readonly aliases?: readonly string[]
  readonly endpoint: string | (() => Promise<IssuerAddress>)
  readonly authentication: ClientAuthentication
  readonly form?: IntrospectionForm
  /** How long an answer is taken: how late a revocation may be noticed. */
  readonly cacheSeconds: number
  readonly network: NetworkPolicy
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly post?: typeof postForm
}

type Claims = Readonly<Record<string, unknown>>

/** A token that is no good now may become good nowhere; it is asked for again soon all the same. */
const NEGATIVE_SECONDS = 10
const NEGATIVE_ENTRIES = 10_000
const ENDPOINT_SECONDS = 600
/** Whoever sends rubbish must not make this server flood the issuer. */
const MAX_IN_FLIGHT = 64
const BACK_OFF_MS = [1000, 2000, 5000, 10_000] as const

/**
 * Asks an issuer about tokens that only it can read. One request per token at a time; unknown ones
 * are remembered for a moment; after a failure the issuer is left alone for a while, longer each
 * time. What is known of good tokens is kept by the verifier, for `cacheSeconds` and never beyond
 * `exp`.
 *
 * The resolver throws `IntrospectionUnavailable` when there is no answer, or one that says nothing
 * of the token, such as that this server may not ask: never the fault of a token.
 *
 * @see RFC 7662 §2
 */
export function createIntrospection(options: IntrospectionOptions): OpaqueResolver {
  const { issuer, aliases = [], nowMs, network, form = RFC_7662 } = options
  const credential = createClientAuthentication(options.authentication, nowMs)
  const post = options.post ?? postForm
  const pattern = form.pattern === undefined ? undefined : new RegExp(form.pattern)
  const unknown = new LRUCache<string, number>({ max: NEGATIVE_ENTRIES })
  const pending = new Map<string, Promise<Claims | undefined>>()
  let failures = 0
  let quietUntilMs = Number.NEGATIVE_INFINITY
  let endpoint: { readonly url: string; readonly untilMs: number } | undefined

  function unavailable(why: string, cause?: unknown): IntrospectionUnavailable {
    const waitMs = Math.max(1000, quietUntilMs - nowMs())
    return new IntrospectionUnavailable(`introspection at \`${issuer}\`: ${why}`, {
      cause,
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    })
  }

  async function findEndpoint(): Promise<string> {
    if (typeof options.endpoint === 'string') return options.endpoint
    if (endpoint === undefined || nowMs() >= endpoint.untilMs) {
      const { reached } = await options.endpoint()
      endpoint = { url: reached, untilMs: nowMs() + ENDPOINT_SECONDS * 1000 }
    }
    return endpoint.url
  }

  async function ask(token: string): Promise<Claims | undefined> {
    try {
      const { form: own, headers } = credential()
      const fields = new URLSearchParams({ [form.parameter]: token, ...own })
      if (form.active === 'member') fields.set('token_type_hint', 'access_token')
      const statuses = form.active === 'status' ? [400] : []
      const { status, value } = await post(await findEndpoint(), network, {
        ...{ form: fields, headers, statuses },
      })
      if (typeof value !== 'object' || value === null) throw new Error('answer is no JSON object')
      const claims = status === 200 ? readAnswer(value as Claims) : undefined
      failures = 0
      return claims
    } catch (cause) {
      const waitMs = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] ?? 0
      failures += 1
      quietUntilMs = nowMs() + waitMs
      throw unavailable(cause instanceof Error ? cause.message : String(cause), cause)
    }
  }

  function readAnswer(answer: Claims): Claims | undefined {
    if (form.active === 'member' && typeof answer.active !== 'boolean') {
      throw new Error('answer does not say whether the token is active')
    }
    if (answer.active === false) return undefined
    // An issuer may know tokens of others; it does not speak for them.
    if (answer.iss !== undefined && ![issuer, ...aliases].includes(String(answer.iss))) {
      return undefined
    }
    // Refresh tokens are active too. Keycloak says so in `typ`, others in `token_type`.
    const kinds = [answer.typ, answer.token_type].filter((kind) => kind !== undefined)
    if (kinds.some((kind) => !/^(?:bearer|dpop|at\+jwt|jwt|access_token)$/i.test(String(kind)))) {
      return undefined
    }
    const { active: _, ...claims } = answer
    const exp = secondsOf(claims.exp)
    const now = Math.floor(nowMs() / 1000)
    if (exp !== undefined && exp <= now) return undefined
    return {
      ...claims,
      iss: issuer,
      // Without `exp` it is good for as long as the answer is taken.
      exp: exp ?? now + options.cacheSeconds,
      ...present('iat', secondsOf(claims.iat)),
      ...present('nbf', secondsOf(claims.nbf)),
    }
  }

  return async (token) => {
    if (pattern !== undefined && !pattern.test(token)) return undefined
    const key = hash('sha256', token, 'base64url')
    const refusedUntil = unknown.get(key)
    if (refusedUntil !== undefined && nowMs() < refusedUntil) return undefined
    const running = pending.get(key)
    if (running !== undefined) return running
    if (nowMs() < quietUntilMs)
      throw unavailable('it failed a moment ago and is not asked again yet')
    if (pending.size >= MAX_IN_FLIGHT) throw unavailable(`${MAX_IN_FLIGHT} requests are under way`)
    const asked = ask(token)
      .then((claims) => {
        if (claims === undefined) unknown.set(key, nowMs() + NEGATIVE_SECONDS * 1000)
        return claims
      })
      .finally(() => pending.delete(key))
    pending.set(key, asked)
    return asked
  }
}

/** Google writes numbers as texts. */
function secondsOf(value: unknown): number | undefined {
  if (typeof value === 'string' && /^\d{1,12}$/.test(value)) return Number(value)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function present(name: string, value: number | undefined): Claims {
  return value === undefined ? {} : { [name]: value }
}
