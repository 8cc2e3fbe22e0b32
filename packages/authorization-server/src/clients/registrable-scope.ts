import { ADMIN_SCOPES, INTROSPECT_SCOPE } from '@scopegate/oauth-model'
import { parseScope } from '@scopegate/smart-scopes'

/** Scopes without a resource type that need a user. @see SMART 2.2, scopes-and-launch-context */
export const USER_SCOPES = [
  'openid',
  'fhirUser',
  'profile',
  'email',
  'launch',
  'launch/patient',
  'launch/encounter',
  'offline_access',
  'online_access',
] as const

/** Scopes without a resource type that only programs get. */
const PROGRAM_SCOPES = [INTROSPECT_SCOPE, ...ADMIN_SCOPES] as const

/** Brings a token of a user, or of a program: what comes of it is of the same kind. */
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const USER_GRANTS = ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code', EXCHANGE]
const REFRESH_SCOPES = ['offline_access', 'online_access']

/**
 * What keeps one scope from being registered for a client with these grants, if anything does:
 * scopes of a user need a grant with a user, those of a program one without, those of ordinary APIs
 * any. @param apiScopes what APIs have named
 */
export function scopeProblem(
  text: string,
  grants: readonly string[] = ['client_credentials'],
  apiScopes: readonly string[] = [],
): { why: string; fix: string } | undefined {
  const parsed = parseScope(text)
  if (!parsed.ok) return { why: parsed.problem.message, fix: parsed.problem.fix }
  const { scope } = parsed
  const hasUser = grants.some((grant) => USER_GRANTS.includes(grant))
  const hasNone = grants.includes('client_credentials')

  if (scope.kind === 'resource') {
    if (scope.context === 'system') {
      return hasNone || grants.includes(EXCHANGE) ? undefined : needsProgram(text)
    }
    if (hasUser) return undefined
    return {
      why: `${scope.context}/ scopes act for a signed-in user, and client credentials have none`,
      fix: `register \`system/${text.slice(text.indexOf('/') + 1)}\` instead, or the grant \`authorization_code\``,
    }
  }
  if (apiScopes.includes(scope.value)) return undefined
  if ((PROGRAM_SCOPES as readonly string[]).includes(scope.value)) {
    return hasNone ? undefined : needsProgram(text)
  }
  if (!(USER_SCOPES as readonly string[]).includes(scope.value)) {
    return {
      why: 'not a scope that this server knows',
      fix: `use SMART scopes such as \`system/Observation.rs\`, or one of ${[...USER_SCOPES, ...PROGRAM_SCOPES, ...apiScopes].join(' ')}`,
    }
  }
  if (!hasUser) {
    return {
      why: 'it needs a signed-in user, and client credentials have none',
      fix: 'leave it out, or register the grant `authorization_code`',
    }
  }
  if (REFRESH_SCOPES.includes(scope.value) && !grants.includes('refresh_token')) {
    return {
      why: 'it asks for refresh tokens, and the client is not registered for them',
      fix: 'add the grant `refresh_token`',
    }
  }
  return undefined
}

function needsProgram(text: string) {
  return {
    why: `\`${text}\` acts for the client itself, without a user`,
    fix: 'add the grant `client_credentials`, or use `user/` or `patient/` scopes',
  }
}
