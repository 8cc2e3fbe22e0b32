import { randomBytes, randomUUID } from 'node:crypto'
import { createLabKey, type LabKey, publicJwk } from '../issuer/lab-keys.ts'
import { answerByHand, LAB_TOKEN_PATH } from './access/answer-by-hand.ts'
import { ACCESS_FLAVOURS } from './access/index.ts'
import { createTokenEndpoint } from './access/token-endpoint.ts'
import type { LabAccessTokenWish } from './access/token-endpoint-types.ts'
import type { TokenProblemKind } from './access/token-problem.ts'
import { answerUserInfo } from './answer-user-info.ts'
import { html } from './answers.ts'
import { chooserPage, errorPage } from './chooser-page.ts'
import type { LabFault } from './faults.ts'
import type { LabFlavour } from './flavours/flavour.ts'
import { LAB_FLAVOURS } from './flavours/index.ts'
import { type LabClient, readPart } from './lab-client.ts'
import { labMetadata } from './lab-metadata.ts'
import type { LabOpenIdProvider, LabOpenIdProviderOptions } from './lab-open-id-provider-types.ts'
import { type LabRealm, realmOf } from './lab-realm.ts'
import { LAB_TENANT, LAB_USERS, type LabUser } from './lab-user.ts'
import { type LabSignIn, mintLabIdToken } from './mint-lab-id-token.ts'
import { mintLabLogoutToken } from './mint-lab-logout-token.ts'

const CODE_SECONDS = 60
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * An OpenID Provider for development and tests: people choose a name and are signed in. Its claims,
 * addresses and answers have the shape of a well-known provider, and it does wrong what it is told
 * to. Keeps everything in memory. Never for production.
 */
export function createLabOpenIdProvider(options: LabOpenIdProviderOptions): LabOpenIdProvider {
  const flavour: LabFlavour = LAB_FLAVOURS[options.flavour]
  const issuer = new URL(options.issuer)
  const users = options.users ?? LAB_USERS
  const keys = options.keys ?? [createLabKey('RS256')]
  const now = options.now ?? (() => Math.floor(Date.now() / 1000))
  const faults = new Set<LabFault>()
  const codes = new Map<string, { readonly signIn: LabSignIn; readonly expiresAt: number }>()
  const sessions = new Map<string, LabSignIn>()
  const [signingKey] = keys as readonly [LabKey]
  const tenant = issuer.pathname.split('/').find((part) => GUID.test(part)) ?? LAB_TENANT
  const access = ACCESS_FLAVOURS[options.flavour]
  const problems = new Set<TokenProblemKind>()
  const origin = options.origin ?? issuer.origin
  const seconds = options.accessTokenSeconds
  const tokens = createTokenEndpoint({
    ...{ flavour, access, tenant, now, findClient, problems },
    issuer: options.issuer,
    origin,
    key: signingKey,
    accessTokenSeconds: () => (typeof seconds === 'function' ? seconds() : seconds),
    refreshTokens: options.refreshTokens,
    ...{ apis: options.apis, audience: options.audience, scopes: options.scopes },
    takeCode(code) {
      const entry = codes.get(code)
      codes.delete(code)
      return entry !== undefined && entry.expiresAt > now() ? entry.signIn : undefined
    },
    idToken: (signIn, accessToken) =>
      faults.has('no_id_token') ? undefined : idTokenOf(signIn, accessToken),
    idTokenForApp: (clientId, accessToken) => {
      const name = `service-account-${clientId}`
      const user = { id: name, name, email: '', emailVerified: false }
      const signIn = signInOf(user, clientId, '', () => undefined, options.issuer)
      return idTokenOf(signIn, accessToken)
    },
  })

  function subjectOf(userId: string, clientId: string): string {
    return flavour.subject(userOf(userId), clientId)
  }

  function userOf(userId: string): LabUser {
    const user = users.find(({ id }) => id === userId)
    if (user === undefined) throw new Error(`the lab provider has no user \`${userId}\``)
    return user
  }

  function findClient(clientId: string): LabClient | undefined {
    if (options.clients === undefined) {
      return { clientId, redirectUris: [], ...(options.roles && { roles: options.roles }) }
    }
    return options.clients.find((client) => client.clientId === clientId)
  }

  /** @param name the issuer as asked, of which `{tenantid}` stands for that of the user. */
  function authorize(url: URL, name: string): Response {
    const ask = (name: string) => url.searchParams.get(name) ?? undefined
    const client = findClient(ask('client_id') ?? '')
    if (client === undefined) return html(400, errorPage(`No client \`${ask('client_id')}\`.`))
    const redirectUri = ask('redirect_uri') ?? ''
    const registered = options.clients === undefined || client.redirectUris.includes(redirectUri)
    if (!registered || !URL.canParse(redirectUri)) {
      return html(400, errorPage(access.redirectPage(redirectUri, client.clientId)))
    }
    const back = (members: Readonly<Record<string, string | undefined>>): Response => {
      const target = new URL(redirectUri)
      for (const [name, value] of Object.entries(members)) {
        if (value !== undefined) target.searchParams.set(name, value)
      }
      return new Response(null, { status: 303, headers: { location: target.href } })
    }
    const state = faults.has('swapped_state') ? randomUUID() : ask('state')
    const namesItself = flavour.metadata.authorization_response_iss_parameter_supported === true
    const refuse = (error: string, error_description: string) =>
      back({ error, error_description, state, ...(namesItself ? { iss: options.issuer } : {}) })

    if (ask('response_type') !== 'code') {
      return refuse('unsupported_response_type', 'only code is supported')
    }
    if (ask('code_challenge') !== undefined && ask('code_challenge_method') !== 'S256') {
      return refuse('invalid_request', 'only S256 is supported')
    }
    if (faults.has('denied')) return refuse('access_denied', 'the user declined')
    if (ask('prompt') === 'none') return refuse('login_required', 'nobody is signed in')
    if (ask('lab_user') === undefined) return html(200, chooserPage(flavour.label, users, url))
    const user = users.find(({ id }) => id === ask('lab_user'))
    if (user === undefined) return html(400, errorPage(`There is no user ${ask('lab_user')}.`))

    const signIn = signInOf(user, client.clientId, redirectUri, ask, name)
    const code = randomBytes(24).toString('base64url')
    codes.set(code, { signIn, expiresAt: now() + CODE_SECONDS })
    sessions.set(signIn.sessionId, signIn)
    const { iss, ...answer } = flavour.answer(signIn)
    const named = faults.has('wrong_answer_issuer') ? 'https://evil.example' : iss
    return back({ code, state, ...answer, iss: faults.has('no_answer_issuer') ? undefined : named })
  }

  function signInOf(
    user: LabUser,
    clientId: string,
    redirectUri: string,
    ask: (name: string) => string | undefined,
    issuerName: string,
  ): LabSignIn {
    const own = flavour.hasTenants === true ? (user.organisation ?? tenant) : tenant
    return {
      user,
      clientId,
      redirectUri,
      sessionId: randomUUID(),
      authTime: now(),
      issuer: issuerName.replace('{tenantid}', own),
      tenant: own,
      nonce: ask('nonce'),
      challenge: ask('code_challenge'),
      scope: ask('scope') ?? 'openid',
      audience: ask('audience') ?? ask('resource'),
    }
  }

  function idTokenOf(signIn: LabSignIn, accessToken: string): string {
    return mintLabIdToken(signIn, { accessToken, flavour, key: signingKey, faults, now: now() })
  }

  function aboutTokens(request: Request, url: URL, base: string): Promise<Response> | undefined {
    const { introspection, revocation, tokenInfo } = access.paths(base)
    if (url.pathname === tokenInfo) return tokens.tokenInfo(request)
    if (request.method !== 'POST') return undefined
    if (url.pathname === introspection) return tokens.introspect(request)
    return url.pathname === revocation ? tokens.revoke(request) : undefined
  }

  function published(key: LabKey): object {
    const { alg, ...rest } = publicJwk(key)
    return flavour.keysWithoutAlgorithm === true ? rest : { ...rest, alg }
  }

  function notFound({ pathname }: URL): Response {
    return access.notFound?.(pathname) ?? html(404, errorPage('There is nothing here.'))
  }

  async function token(request: Request, { paths, isShared }: LabRealm) {
    if (faults.has('token_down')) return new Response('maintenance', { status: 503 })
    if (faults.has('html')) return html(200, errorPage('Your session at the proxy has ended.'))
    return tokens.token(request, paths.token, isShared)
  }

  async function endSession(url: URL): Promise<Response> {
    const hint = readPart(url.searchParams.get('id_token_hint') ?? '', 1)
    const clientId = String(hint?.aud ?? url.searchParams.get('client_id') ?? '')
    const ended = [...sessions.values()].filter(
      ({ sessionId, user }) =>
        sessionId === hint?.sid || flavour.subject(user, clientId) === hint?.sub,
    )
    for (const userId of new Set(ended.map(({ user }) => user.id))) await logOut(userId)
    const target = url.searchParams.get('post_logout_redirect_uri')
    if (target === null) return html(200, errorPage('You are signed out.'))
    const registered = findClient(clientId)?.postLogoutRedirectUris ?? []
    if (options.clients !== undefined && !registered.includes(target)) {
      return html(400, errorPage(`Post-logout redirect URI ${target} is not registered.`))
    }
    const back = new URL(target)
    const state = url.searchParams.get('state')
    if (state !== null) back.searchParams.set('state', state)
    return new Response(null, { status: 303, headers: { location: back.href } })
  }

  const mintLogoutToken: LabOpenIdProvider['mintLogoutToken'] = ({ userId, ...wish }) =>
    mintLabLogoutToken({
      ...wish,
      issuer: options.issuer,
      key: signingKey,
      now: now(),
      ...(userId === undefined ? {} : { subject: subjectOf(userId, wish.clientId) }),
    })

  const logOut: LabOpenIdProvider['logOut'] = async (userId) => {
    const ended = [...sessions.values()].filter(({ user }) => user.id === userId)
    for (const { sessionId } of ended) sessions.delete(sessionId)
    const send = options.fetch ?? fetch
    const posts = ended.flatMap(({ clientId, sessionId }) => {
      const uri = findClient(clientId)?.backchannelLogoutUri
      return uri === undefined ? [] : [{ clientId, sessionId, uri }]
    })
    return Promise.all(
      posts.map(async ({ clientId, sessionId, uri }) => {
        const body = new URLSearchParams({
          logout_token: mintLogoutToken({ clientId, userId, sessionId }),
        })
        const response = await send(uri, { method: 'POST', body })
        return { clientId, status: response.status }
      }),
    )
  }

  const userOfWish = ({ userId }: LabAccessTokenWish) =>
    userId === undefined ? undefined : userOf(userId)
  const mintAccessToken: LabOpenIdProvider['mintAccessToken'] = (wish = {}) =>
    tokens.mint(wish, userOfWish(wish))

  return {
    issuer: options.issuer,
    users,
    faults,
    problems,
    mintLogoutToken,
    mintAccessToken,
    readAccessToken(token) {
      const found = tokens.find(token)
      if (found === undefined) return undefined
      const { client, scopes, user, expiresAt } = found.grant
      const { isNewest } = found
      return { clientId: client.clientId, scopes, userId: user?.id, expiresAt, isNewest }
    },
    revokeAccessToken: tokens.revokeToken,
    revokeAccessTokens: tokens.revokeAllTokens,
    mintRefreshToken: (wish = {}) => tokens.mintRefreshToken(wish, userOfWish(wish)),
    revokeRefreshTokens: tokens.revokeRefreshTokens,
    logOut,

    subjectOf,

    async fetch(request) {
      if (faults.has('down')) return new Response('maintenance', { status: 503 })
      const url = new URL(request.url)
      const realm = realmOf(url.pathname, flavour, options.issuer)
      const route = `${request.method} ${url.pathname}`
      switch (route) {
        case `GET ${realm.base}/.well-known/openid-configuration`:
          return Response.json(
            labMetadata({
              access: access.paths(realm.base),
              flavour,
              origin,
              issuer: faults.has('other_discovery_issuer') ? `${origin}/another` : realm.name,
              paths: realm.paths,
              alg: signingKey.alg,
            }),
          )
        case `GET ${realm.paths.keys}`:
          return Response.json({ keys: keys.map(published) })
        case `GET ${realm.paths.authorize}`:
          return authorize(url, realm.name)
        case `POST ${realm.paths.token}`:
          return token(request, realm)
        case `GET ${realm.paths.userInfo}`:
        case `POST ${realm.paths.userInfo}`:
          return answerUserInfo(request, { find: tokens.find, flavour, faults })
        case `GET ${LAB_TOKEN_PATH}`:
          return Response.json({ flavour: options.flavour, issuer: options.issuer })
        case `POST ${LAB_TOKEN_PATH}`:
          return answerByHand(request, mintAccessToken)
        case `GET ${realm.paths.endSession}`:
          return endSession(url)
      }
      return aboutTokens(request, url, realm.base) ?? notFound(url)
    },
  }
}
