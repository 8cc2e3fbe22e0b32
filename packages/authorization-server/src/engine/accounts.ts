import type { User } from '@scopegate/identity'
import { errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider'
import { invalidGrant } from '../engine-errors.ts'
import type { LaunchGrant } from '../grants/grants.ts'
import { checkRefresh } from '../refresh/check-refresh.ts'
import type { EngineDeps, RequestState } from './engine-deps.ts'

/** When a grant was last used is known to the minute. */
const TOUCH_SECONDS = 60

/** The claims of an ID token by the scope that brings them. */
export const CLAIMS = {
  openid: ['sub'],
  fhirUser: ['fhirUser'],
  profile: ['name', 'preferred_username', 'locale'],
  email: ['email'],
  acr: null,
  amr: null,
  auth_time: null,
  iss: null,
  sid: null,
}

/**
 * The user that a request is for, asked whenever something is issued: with a code, a device code or
 * a refresh token it also judges the launch that they belong to.
 */
export function createFindAccount(deps: EngineDeps): FindAccount {
  return async (ctx, sub, token) => {
    const state = ctx.state as RequestState
    const user = await deps.people?.users.find(sub)
    const grantId = (token as { grantId?: string } | undefined)?.grantId
    if (user === undefined || user.disabled) {
      const told = 'the user may no longer sign in'
      throw grantId === undefined
        ? new errors.AccessDenied(told)
        : invalidGrant({ code: 'user_disabled', got: sub, told })
    }
    if (grantId !== undefined && ctx.oidc.route === 'token') {
      const grant = await findGrant(grantId, ctx, deps)
      state.grant = grant
      checkSamePerson(user, grant, deps)
      if (isOrdinary(grant.resource, deps)) state.namedUser = user
      if (token?.kind === 'RefreshToken') await checkRefresh(ctx, token, grant, deps)
      if (deps.now() - grant.lastUsedAt >= TOUCH_SECONDS) {
        void deps.grants.touch(grantId).catch(() => undefined)
      }
    }
    const fhirUser = fhirUserOf(user, baseOf(state.grant?.resource, deps))
    if (fhirUser !== undefined) state.fhirUser = fhirUser
    return { accountId: user.id, claims: async () => claimsOf(user, fhirUser) }
  }
}

/** The launch, which the engine has asked for a moment ago. */
async function findGrant(
  grantId: string,
  ctx: KoaContextWithOIDC,
  { grants }: EngineDeps,
): Promise<LaunchGrant> {
  const { found } = ctx.state as RequestState
  const grant = found?.grantId === grantId ? found : await grants.find(grantId)
  if (grant !== undefined && grant.clientId === ctx.oidc.client?.clientId) return grant
  throw invalidGrant({
    code: 'grant_revoked',
    told: 'what the user allowed was revoked or has expired: launch the app again',
  })
}

/** A launch was judged by who the user was in the FHIR data. */
function checkSamePerson(user: User, { fhirUser, resource }: LaunchGrant, deps: EngineDeps): void {
  const base = baseOf(resource, deps)
  const before = fhirUser === undefined ? undefined : fhirUserOf({ fhirUser }, base)
  if (before === fhirUserOf(user, base)) return
  throw invalidGrant({
    code: 'grant_revoked',
    got: 'the fhirUser of the user has changed since the launch',
    told: 'the user is another person in the FHIR data than when this was allowed: launch the app again',
  })
}

/** What relative references are relative to: ordinary APIs have no persons of their own. */
function baseOf(resource: string | undefined, deps: EngineDeps): string {
  if (resource !== undefined && !isOrdinary(resource, deps)) return resource
  return deps.resources.find(({ kind }) => kind === 'fhir')?.url ?? ''
}

function isOrdinary(resource: string, { resources }: EngineDeps): boolean {
  return resources.some(({ url, kind }) => kind === 'api' && url === resource)
}

/** @see SMART 2.2: `fhirUser` is a URL; absolute ones are read by more clients than relative ones */
export function fhirUserOf(user: Pick<User, 'fhirUser'>, base: string): string | undefined {
  const { fhirUser } = user
  if (fhirUser === undefined) return undefined
  return /^https?:\/\//i.test(fhirUser) ? fhirUser : `${base}/${fhirUser}`
}

function claimsOf(user: User, fhirUser: string | undefined) {
  return {
    sub: user.id,
    name: user.name,
    preferred_username: user.username,
    ...(user.email === undefined ? {} : { email: user.email }),
    ...(user.locale === undefined ? {} : { locale: user.locale }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
  }
}

/**
 * Beside the scopes, what an access token says: for whom, about whom, by which grant. Ordinary APIs
 * of the configuration learn what the user is called here, and nothing of the FHIR data.
 */
export function tokenClaims(ctx: KoaContextWithOIDC): Record<string, unknown> | undefined {
  const { grant, fhirUser, namedUser } = ctx.state as RequestState
  if (grant === undefined) return undefined
  if (namedUser !== undefined) {
    const { username, roles } = namedUser
    return {
      grant_id: grant.grantId,
      preferred_username: username,
      ...(roles.length === 0 ? {} : { roles }),
    }
  }
  const { patient, encounter, tenant } = grant.context
  return {
    grant_id: grant.grantId,
    ...(patient === undefined ? {} : { patient }),
    ...(encounter === undefined ? {} : { encounter }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
  }
}
