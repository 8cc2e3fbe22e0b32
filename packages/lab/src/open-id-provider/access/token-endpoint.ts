import { randomBytes } from 'node:crypto'
import {
  authenticateLabClient,
  fitsChallenge,
  judgeAssertion,
  type LabClient,
  readPart,
} from '../lab-client.ts'
import type { LabUser } from '../lab-user.ts'
import type { LabSignIn } from '../mint-lab-id-token.ts'
import { type AskedAccess, type LabGrant, words } from './access-flavour.ts'
import { askByHand } from './ask-by-hand.ts'
import { createLabTokens } from './lab-tokens.ts'
import { createRefreshTokens } from './refresh-tokens.ts'
import type {
  LabAccessTokenWish,
  TokenEndpoint,
  TokenEndpointOptions,
} from './token-endpoint-types.ts'
import { TOKEN_PROBLEMS, type TokenProblem } from './token-problem.ts'
import { createTokenReaders } from './token-readers.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** The token endpoint of a lab provider, and what tells about tokens that it issued. */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const { access, flavour, now, issuer, origin, findClient } = options
  const settings = { apis: options.apis, audience: options.audience, scopes: options.scopes }
  const tokens = createLabTokens({ access, key: options.key, now })
  const refreshing = createRefreshTokens(options.refreshTokens ?? {}, now)
  const usedAssertions = new Set<string>()

  function answer(request: Request, problem: TokenProblem): Response {
    const correlationId = request.headers.get('client-request-id') ?? undefined
    const { status, body } = access.refuse({
      tenant: options.tenant,
      now: now(),
      ...(correlationId === undefined ? {} : { correlationId }),
      ...problem,
    })
    return Response.json(body, { status, headers: { 'cache-control': 'no-store' } })
  }

  function authenticate(request: Request, form: URLSearchParams, path: string) {
    const audiences = { issuer, tokenEndpoint: `${origin}${path}` }
    const authorization = request.headers.get('authorization')
    const rules = access.assertions
    return authenticateLabClient(form, authorization, findClient, audiences, now(), rules)
  }

  async function token(request: Request, path: string, isShared: boolean): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    const told = TOKEN_PROBLEMS.find((problem) => options.problems.has(problem))
    if (told !== undefined) {
      const value = form.get('scope') ?? ''
      return answer(request, { problem: told, clientId: form.get('client_id') ?? '', value })
    }
    const grant = form.get('grant_type')
    if (grant === null)
      return answer(request, { problem: 'parameter_missing', value: 'grant_type' })
    if (grant === JWT_BEARER && access.grants.includes('jwt-bearer')) {
      return fromAssertion(request, form, path)
    }
    const isApp = grant === 'client_credentials' && access.grants.includes(grant)
    const isRefresh = grant === 'refresh_token' && options.refreshTokens !== undefined
    if (!isApp && !isRefresh && grant !== 'authorization_code') {
      return answer(request, { problem: 'grant_unsupported', value: grant })
    }
    const found = authenticate(request, form, path)
    if ('problem' in found) return answer(request, found)
    const { client } = found
    const { clientId } = client
    const allowed = client.grants ?? [grant]
    if (!allowed.includes(grant)) {
      return answer(request, { problem: 'grant_not_allowed', clientId, value: grant })
    }
    if (client.dpop === true && request.headers.get('dpop') === null) {
      return answer(request, { problem: 'dpop_missing', clientId })
    }
    if (isUsedAssertion(form, clientId)) {
      return answer(request, { problem: 'assertion_replayed', clientId })
    }
    if (isRefresh) return fromRefreshToken(request, form, clientId)
    if (!isApp) return fromCode(request, form, path, found)
    if (isShared) return answer(request, { problem: 'tenant_missing', clientId })
    if (found.proof === 'none') {
      return answer(request, { problem: 'client_public', clientId, value: grant })
    }
    const asked = access.ask({ ...settings, client, path, form })
    if ('problem' in asked) return answer(request, { clientId, ...asked })
    return issueFirst(grantOf(asked, client, found.proof), undefined)
  }

  /** An assertion works once. @see RFC 7523 §3, `jti` */
  function isUsedAssertion(form: URLSearchParams, clientId: string): boolean {
    const jti = readPart(form.get('client_assertion') ?? '', 1)?.jti
    if (typeof jti !== 'string') return false
    const id = `${clientId} ${jti}`
    if (usedAssertions.has(id)) return true
    usedAssertions.add(id)
    return false
  }

  /** @see RFC 6749 §6 */
  function fromRefreshToken(request: Request, form: URLSearchParams, clientId: string): Response {
    const redeemed = refreshing.redeem(form.get('refresh_token') ?? '', clientId)
    if ('problem' in redeemed) return answer(request, { ...redeemed, clientId })
    const asked = words(form.get('scope'))
    const scopes = asked.length === 0 ? redeemed.grant.scopes : asked
    const unknown = asked.find((scope) => !redeemed.grant.scopes.includes(scope))
    if (unknown !== undefined) {
      return answer(request, { problem: 'scope_unknown', clientId, value: unknown })
    }
    const grant = {
      ...redeemed.grant,
      scopes,
      now: now(),
      expiresAt: now() + lifetime(),
      id: randomBytes(16).toString('hex'),
    }
    return issue(grant, redeemed.signIn, redeemed.next)
  }

  function fromCode(
    request: Request,
    form: URLSearchParams,
    path: string,
    { client, proof }: { client: LabClient; proof: LabGrant['proof'] },
  ): Response {
    const { clientId } = client
    const signIn = options.takeCode(form.get('code') ?? '')
    if (signIn === undefined || signIn.clientId !== clientId) {
      return answer(request, { problem: 'code_invalid', clientId })
    }
    const redirectUri = form.get('redirect_uri') ?? ''
    if (signIn.redirectUri !== redirectUri) {
      return answer(request, { problem: 'redirect_mismatch', clientId, value: redirectUri })
    }
    if (!fitsChallenge(form.get('code_verifier'), signIn.challenge)) {
      return answer(request, { problem: 'verifier_wrong', clientId })
    }
    const authorized = { scope: signIn.scope, audience: signIn.audience }
    const asked = access.ask({ ...settings, client, path, form, authorized })
    if ('problem' in asked) return answer(request, { clientId, ...asked })
    return issueFirst(grantOf(asked, client, proof, signIn), signIn)
  }

  /** A service account: the statement it signed is what it is given a token for. @see RFC 7523 §2.1 */
  function fromAssertion(request: Request, form: URLSearchParams, path: string): Response {
    const assertion = form.get('assertion') ?? ''
    const claims = readPart(assertion, 1)
    const clientId = String(claims?.iss ?? '')
    const client = findClient(clientId)
    if (client === undefined) return answer(request, { problem: 'assertion_names', clientId })
    const tokenEndpoint = `${origin}${path}`
    const audiences = { tokenEndpoint, issuer: 'https://oauth2.googleapis.com/token' }
    const problem = judgeAssertion(assertion, client, audiences, now())
    if (problem !== undefined) return answer(request, problem)
    const subject = claims?.sub
    if (
      subject !== undefined &&
      subject !== clientId &&
      client.grants?.includes(JWT_BEARER) !== true
    ) {
      return answer(request, { problem: 'grant_not_allowed', clientId })
    }
    const scope = String(claims?.scope ?? '')
    const asked = access.ask({ ...settings, client, path, form: new URLSearchParams({ scope }) })
    if ('problem' in asked) return answer(request, { clientId, ...asked })
    return issue(grantOf(asked, client, 'key'), undefined, undefined)
  }

  function grantOf(
    { scopes, audience, api }: AskedAccess,
    client: LabClient,
    proof: LabGrant['proof'],
    signIn?: Pick<LabSignIn, 'user' | 'tenant'> & { readonly sessionId?: string },
    wish: LabAccessTokenWish = {},
  ): LabGrant {
    const tenant = signIn?.tenant ?? options.tenant
    const user = signIn?.user
    return {
      client,
      scopes,
      audience,
      tenant,
      origin,
      proof,
      ...(api === undefined ? {} : { api }),
      ...(user === undefined ? {} : { user, subject: flavour.subject(user, client.clientId) }),
      ...(signIn?.sessionId === undefined ? {} : { sessionId: signIn.sessionId }),
      roles: wish.roles ?? (user === undefined ? client.roles : user.roles) ?? [],
      issuer: access.issuer?.({ issuer, origin, tenant, api }) ?? issuer,
      now: now(),
      expiresAt: now() + (wish.expiresInSeconds ?? lifetime()),
      id: randomBytes(16).toString('hex'),
    }
  }

  function lifetime(): number {
    return options.accessTokenSeconds() ?? access.seconds
  }

  /** With a refresh token, where the lab gives any. */
  function issueFirst(grant: LabGrant, signIn: LabSignIn | undefined): Response {
    const rules = options.refreshTokens
    const gets = rules !== undefined && (signIn !== undefined || rules.forApps === true)
    return issue(grant, signIn, gets ? refreshing.issue({ grant, signIn }) : undefined)
  }

  function issue(
    grant: LabGrant,
    signIn: LabSignIn | undefined,
    refreshToken: string | undefined,
  ): Response {
    const accessToken = tokens.issue(grant, signIn)
    const forApp = access.idTokenForApps === true && grant.scopes.includes('openid')
    const idToken =
      signIn === undefined
        ? forApp && options.idTokenForApp(grant.client.clientId, accessToken)
        : options.idToken(signIn, accessToken)
    return Response.json(
      {
        token_type: 'Bearer',
        expires_in: grant.expiresAt - grant.now,
        ...access.answer(grant),
        access_token: accessToken,
        ...(idToken ? { id_token: idToken } : {}),
        ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      },
      { headers: { 'cache-control': 'no-store' } },
    )
  }

  return {
    token,
    ...createTokenReaders({ find: tokens.find, revoke: tokens.revoke, now, authenticate, answer }),
    find: tokens.find,
    revokeToken: tokens.revoke,
    revokeAllTokens: tokens.revokeAll,

    mint(wish, user) {
      return tokens.issue(grantByHand(wish, user), undefined, wish)
    },

    mintRefreshToken(wish, user) {
      return refreshing.issue({ grant: grantByHand(wish, user), signIn: undefined })
    },

    revokeRefreshTokens: refreshing.revoke,
  }

  function grantByHand(wish: LabAccessTokenWish, user: LabUser | undefined): LabGrant {
    const clientId = wish.clientId ?? 'lab-app'
    const client = findClient(clientId) ?? { clientId, redirectUris: [] }
    const api = wish.api ?? options.apis?.[0]?.uri
    const asked = askByHand(wish, { access, settings, client, api, isApp: user === undefined })
    if ('problem' in asked) {
      throw new Error(String(access.refuse({ clientId, ...asked }).body.error_description))
    }
    const signIn = user && {
      user,
      tenant: options.tenant,
      sessionId: randomBytes(16).toString('hex'),
    }
    const audience = wish.audience ?? asked.audience
    return grantOf({ ...asked, audience }, client, 'secret', signIn, wish)
  }
}
