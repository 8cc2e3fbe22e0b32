import { readTokenClaims, type TokenFacts } from '@scopegate/checks'
import { type Connection, explainTokenWarning } from '@scopegate/token-broker'
import { pass, warn } from '../finding.ts'
import { type ExaminedToken, failStep, type Step } from './connection-doctor.ts'

/** Which step of a token request a refusal is about. */
const STEP_OF: Readonly<Record<string, string>> = {
  invalid_client: 'client authentication',
  unauthorized_client: 'client authentication',
  invalid_scope: 'scope',
  invalid_target: 'audience',
  invalid_resource: 'audience',
}

/** Client authentication, scope, and what stands in the token. */
export function examineToken(
  connection: Connection,
  token: ExaminedToken,
  facts: TokenFacts | undefined,
): readonly Step[] {
  if (token.kind === 'untried') return [warn('token', token.why, token.fix)]
  if (token.kind === 'failed') {
    const check = STEP_OF[token.failure.provider?.error ?? ''] ?? 'token'
    return [failStep(check, token.failure)]
  }
  const life =
    token.expiresInSeconds === undefined ? 'no lifetime said' : `${token.expiresInSeconds} s`
  return [
    pass('client authentication', `${connection.clientId} by ${connection.authentication.method}`),
    judgeScopes(connection, token.scopes),
    pass('token', `${token.type}, ${life}`),
    ...token.warnings.filter((warning) => !OWN_STEP.has(warning)).map(sayWarning),
    ...(facts === undefined ? [] : judgeContents(connection, token.accessToken, facts)),
  ]
}

/** What has a step of its own. */
const OWN_STEP = new Set(['scope_missing', 'clock_skew'])

/** What asks nothing of anybody is no warning of the doctor. */
function sayWarning(warning: string): Step {
  const { meaning, fix } = explainTokenWarning(warning) ?? { meaning: 'odd, and no harm' }
  const found = `${meaning} (${warning})`
  return fix === undefined ? pass('answer', found) : warn('answer', found, fix)
}

function judgeScopes({ scopes: asked, scopePolicy }: Connection, granted: readonly string[]): Step {
  const missing = asked.filter(
    (scope) =>
      !granted.includes(scope) && !scope.endsWith('/.default') && scope !== 'offline_access',
  )
  const shown = `asked for ${list(asked)}, granted ${list(granted)}`
  if (missing.length === 0) return pass('scope', shown)
  const fix = `have ${list(missing)} granted to the client at the provider; \`scopePolicy\` is \`${scopePolicy}\``
  return warn('scope', shown, fix)
}

function judgeContents(connection: Connection, token: string, facts: TokenFacts): readonly Step[] {
  const read = readTokenClaims(token)
  if (read === undefined) return [pass('contents', 'opaque: only the provider can read it')]
  const { header, claims } = read
  return [
    pass(
      'contents',
      [
        `alg ${header.alg}`,
        ...(header.typ === undefined ? [] : [`typ ${header.typ}`]),
        ...(claims.ver === undefined ? [] : [`ver ${claims.ver}`]),
        `client ${claims.azp ?? claims.appid ?? claims.client_id ?? claims.cid ?? 'not named'}`,
        ...(facts.secondsLeft === undefined ? ['no exp'] : [`${facts.secondsLeft} s left`]),
      ].join(', '),
    ),
    judgeAudience(facts),
    judgeTokenIssuer(connection, facts),
    ...judgeRoles(connection, facts),
  ]
}

function judgeAudience({ audiences }: TokenFacts): Step {
  if (audiences.length > 0) return pass('aud', audiences.join(', '))
  return warn(
    'aud',
    'the token names no audience: a resource that checks it refuses it',
    'set `audience` or `resource` of the connection; in Keycloak add an audience mapper',
  )
}

function judgeTokenIssuer(
  { issuer, issuerAliases, preset }: Connection,
  { issuer: stated }: TokenFacts,
): Step {
  if (stated === undefined) return pass('iss', 'none')
  if (issuer === undefined || stated === issuer || issuerAliases.includes(stated)) {
    return pass('iss', stated)
  }
  if (preset === 'entra' && stated.startsWith('https://sts.windows.net/')) {
    return pass(
      'iss',
      `${stated} (a v1.0 token: \`requestedAccessTokenVersion\` of the API decides that, not the endpoint)`,
    )
  }
  return warn(
    'iss',
    `the token says ${stated}, the connection ${issuer}`,
    'resources compare `iss` to the letter: one server with two names (inside and outside) is the usual cause; set the public name at the provider',
  )
}

function judgeRoles({ preset }: Connection, { roles, isAppOnly }: TokenFacts): readonly Step[] {
  if (roles.length > 0) return [pass('roles', list(roles))]
  if (preset !== 'entra' || !isAppOnly) return []
  return [
    warn(
      'roles',
      'the token has no roles: Entra issues it all the same, and the API refuses it',
      'API permissions → Add a permission → Application permissions → the role → Grant admin consent',
    ),
  ]
}

const list = (values: readonly string[]) =>
  values.length === 0 ? 'none' : `\`${values.join(' ').slice(0, 500)}\``
