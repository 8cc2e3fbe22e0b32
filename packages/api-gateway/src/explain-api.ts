import { type AnyCheck, callerView, completeAnyChecks, failed, passed } from '@scopegate/checks'
import { pathProblem } from '@scopegate/http'
import type {
  ExplainRequest,
  Explanation,
  MountedExplainer,
  Needs,
  TokenVerifier,
  VerifiedToken,
} from '@scopegate/oauth-model'
import type { Api } from './api.ts'
import { callerOfToken } from './api-caller.ts'
import { passedChecks, refuseCaller, refuseRoute, scopeSets } from './decide.ts'

/**
 * What a request to an API would get under a token or claims, and what it would need. The upstream
 * is not asked; passwords and sessions of browsers are not looked at.
 */
export function explainApi(api: Api, verifier: TokenVerifier): MountedExplainer {
  const { auth } = api
  const expected = { audiences: auth.audiences, issuers: auth.issuers }

  async function identify(request: ExplainRequest) {
    if (request.claims !== undefined) return fromClaims(request.claims, expected.audiences, api)
    const authorization = request.token === undefined ? undefined : `Bearer ${request.token}`
    const verdict = await verifier.verify(authorization, expected, { isInspected: true })
    const { fingerprint, issuer } = (verdict.ok ? verdict.token : verdict.claimed) ?? {}
    return {
      ...(verdict.ok && { token: verdict.token }),
      checks: verdict.checks,
      asked: { ...(fingerprint && { fingerprint }), ...(issuer && { issuer }) },
    }
  }

  async function explain(request: ExplainRequest): Promise<Explanation> {
    const notes = notesOn(api)
    const end = (checks: readonly AnyCheck[], more: Partial<Explanation> = {}): Explanation => {
      const all = completeAnyChecks([...checks, { name: 'upstream', outcome: 'skipped' }])
      const status = callerView(all)?.status ?? 200
      return { allowed: status < 400, status, checks: all, notes, ...more }
    }
    const path = below(api, request.path)
    if (path === undefined) {
      notes.push('the address is refused: it has no canonical form')
      return { allowed: false, status: 400, checks: [], notes }
    }
    const call = { method: request.method.toUpperCase(), path }
    const match = api.routes.match(call.method, path)
    if (match.kind === 'route' && match.route.public) {
      notes.push('this needs no token')
      return end(passedChecks({ checks: [], route: match.route }, []))
    }
    const { token, checks, asked } = await identify(request)
    if (token === undefined) return end(checks, asked)
    const caller = callerOfToken(token, api)
    const noRoute = refuseRoute(match, call)
    if (noRoute !== undefined) return end([...checks, ...noRoute.checks], asked)
    if (match.kind !== 'route') throw new TypeError('a route that does not fit is refused')
    const refusal = refuseCaller(caller, match.route, auth.requiredScopes)
    if (refusal !== undefined) return end([...checks, ...refusal.checks], asked)
    return end(passedChecks({ checks, route: match.route }, auth.requiredScopes), asked)
  }

  async function needs(request: Pick<ExplainRequest, 'method' | 'path'>): Promise<Needs> {
    const notes = notesOn(api)
    const common = {
      ...expected,
      settings: {
        audiences: `apis.${api.name}.auth.audiences`,
        trust: `apis.${api.name}.auth.trust`,
      },
    }
    const path = below(api, request.path)
    const match =
      path === undefined
        ? ({ kind: 'absent' } as const)
        : api.routes.match(request.method.toUpperCase(), path)
    if (match.kind !== 'route') {
      notes.push(
        match.kind === 'method'
          ? `no token helps: the routes take ${match.allow.join(', ')} here`
          : `no token helps: no route of \`apis.${api.name}.routes\` is for this path`,
      )
      return { ...common, public: false, scopes: [], notes }
    }
    const { route } = match
    if (route.public) return { ...common, public: true, scopes: [], notes: ['this needs no token'] }
    const sets = scopeSets(route, auth.requiredScopes)
    if (route.roles.length > 0) {
      notes.push(
        `the user needs one of the roles ${route.roles.join(', ')} (\`${auth.roles.from}\`)`,
      )
    }
    const scopes = sets.map((set) => ({
      scopes: set,
      what: set.length === 0 ? 'any token for this API' : `what ${route.path} asks for`,
    }))
    return { ...common, public: false, scopes, notes }
  }

  return { url: api.url, explain, needs }
}

function notesOn({ auth }: Api): string[] {
  const notes: string[] = []
  if (auth.mode !== 'bearer') notes.push('browsers may also come with a session, without a token')
  if (auth.schemes.includes('basic')) notes.push('a user name and password are accepted too')
  return notes
}

/** The path below the API, without query; `undefined` if it has more than one meaning. */
function below(api: Api, address: string): string | undefined {
  const full = /^https?:\/\//i.test(address) ? (URL.parse(address)?.pathname ?? '') : address
  const [path = ''] = full.split(/[?#]/)
  if (pathProblem(path) !== undefined) return undefined
  const isMounted = path === api.path || path.startsWith(`${api.path}/`)
  return (isMounted ? path.slice(api.path.length) : path) || '/'
}

/** As if a token that is otherwise good held these claims. */
function fromClaims(
  claims: Readonly<Record<string, unknown>>,
  audiences: readonly string[],
  { auth }: Api,
): { token?: VerifiedToken; checks: readonly AnyCheck[]; asked?: Partial<Explanation> } {
  const aud = claims.aud === undefined ? audiences : [claims.aud].flat().map(String)
  if (!aud.some((each) => audiences.includes(each))) {
    const detail = { expected: audiences.join(' or '), got: aud.join(', ') }
    return { checks: [failed('audience_mismatch', detail)] }
  }
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : undefined)
  const token: VerifiedToken = {
    issuer: text('iss') ?? auth.issuers[0] ?? '',
    subject: text('sub') ?? '',
    clientId: text('client_id') ?? text('azp') ?? '',
    audience: aud,
    scope: [claims.scope ?? claims.scp ?? []].flat().map(String).join(' '),
    issuedAt: 0,
    expiresAt: 0,
    fingerprint: '',
    claims,
  }
  return { token, checks: [passed('audience')] }
}
