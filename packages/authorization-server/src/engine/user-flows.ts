import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { OIDC_SCOPES } from '../grants/engine-grant.ts'
import { ID_TOKEN_ALGORITHM } from '../keys/generate-signing-key.ts'
import {
  CODE_SECONDS,
  DEVICE_CODE_SECONDS,
  ENGINE_SESSION_SECONDS,
  ID_TOKEN_SECONDS,
  INTERACTION_SECONDS,
  OFFLINE_GRANT_SECONDS,
} from '../lifetimes.ts'
import { CLAIMS, createFindAccount, tokenClaims } from './accounts.ts'
import { ASSERTION_ALGORITHMS } from './algorithms.ts'
import { cookieSettings } from './cookies.ts'
import { factsOf } from './engine-client.ts'
import type { EngineDeps } from './engine-deps.ts'
import { createInteractionPolicy, loadGrantOfLaunch } from './interaction-policy.ts'
import { createOutgoingFetch } from './outgoing-fetch.ts'
import { renderError } from './render-error.ts'
import { checkAudience } from './resource-server.ts'
import { INTERACTION_PATH } from './routes.ts'

/**
 * The part of the engine's configuration that needs people: codes, refresh tokens, devices, ID
 * tokens, logout.
 */
export function userFlows(deps: EngineDeps): Configuration {
  return {
    responseTypes: ['code'],
    scopes: [...OIDC_SCOPES],
    claims: CLAIMS,
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: {
      id_token_signed_response_alg: ID_TOKEN_ALGORITHM,
      response_types: [],
      grant_types: [],
    },
    enabledJWA: {
      clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS],
      idTokenSigningAlgValues: [ID_TOKEN_ALGORITHM],
      // Never HMAC: the engine does not know the secrets of clients.
      requestObjectSigningAlgValues: [...ASSERTION_ALGORITHMS],
      dPoPSigningAlgValues: [...ASSERTION_ALGORITHMS],
    },
    cookies: cookieSettings(deps),
    extraParams: {
      aud: (ctx: KoaContextWithOIDC) => checkAudience(ctx, deps),
      launch: null,
    },
    interactions: {
      policy: createInteractionPolicy(),
      url: (_ctx, interaction) => `${INTERACTION_PATH}/${interaction.uid}`,
    },
    findAccount: createFindAccount(deps),
    loadExistingGrant: loadGrantOfLaunch,
    extraTokenClaims: (ctx) => tokenClaims(ctx),
    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') &&
      (source.scopes.has('offline_access') || source.scopes.has('online_access')),
    rotateRefreshToken: true,
    // Whether a session is over is asked of the identity session, see checkRefresh.
    expiresWithSession: () => false,
    ttl: {
      ClientCredentials: (_ctx, token) =>
        token.resourceServer?.accessTokenTTL ?? deps.accessTokenSeconds,
      AccessToken: (_ctx, token) =>
        token.resourceServer?.accessTokenTTL ?? deps.userAccessTokenSeconds,
      AuthorizationCode: CODE_SECONDS,
      DeviceCode: DEVICE_CODE_SECONDS,
      Grant: OFFLINE_GRANT_SECONDS,
      IdToken: ID_TOKEN_SECONDS,
      Interaction: INTERACTION_SECONDS,
      RefreshToken: (_ctx, _token, client) =>
        factsOf(client).refreshTokenSeconds ?? deps.refreshTokenSeconds,
      Session: ENGINE_SESSION_SECONDS,
    },
    fetch: createOutgoingFetch(deps.network),
    renderError: (ctx, out, error) => renderError(ctx, out, error, deps.pages),
    features: {
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: false },
      deviceFlow: deviceFlow(deps),
      dPoP: {
        enabled: true,
        nonceSecret: Buffer.from(deps.dpopNonceKey),
        requireNonce: () => false,
      },
      pushedAuthorizationRequests: { enabled: true },
      requestObjects: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => deps.pages.renderLogoutPage(ctx, form),
        postLogoutSuccessSource: (ctx) => deps.pages.renderLoggedOutPage(ctx),
      },
    },
  }
}

function deviceFlow({ pages }: EngineDeps) {
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: (ctx: KoaContextWithOIDC) => ({ userAgent: ctx.get('User-Agent').slice(0, 256) }),
    userCodeInputSource: (
      ctx: KoaContextWithOIDC,
      form: string,
      _out?: unknown,
      error?: { readonly name: string; readonly message: string },
    ) => pages.renderUserCodePage(ctx, form, error),
    userCodeConfirmSource: (
      ctx: KoaContextWithOIDC,
      form: string,
      client: { readonly clientName?: string | undefined; readonly clientId: string },
      device: { readonly userAgent?: string },
      userCode: string,
    ) =>
      pages.renderUserCodeConfirmPage(ctx, form, {
        clientName: client.clientName ?? client.clientId,
        userCode,
        ...device,
      }),
    successSource: (ctx: KoaContextWithOIDC) => pages.renderDeviceDonePage(ctx),
  } as const
}
