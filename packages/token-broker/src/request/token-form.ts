import { AssertionError, signAssertion } from '../authentication/sign-assertion.ts'
import { useSigner } from '../authentication/use-signer.ts'
import type { TokenTarget } from '../token-request.ts'

export interface FormOptions {
  readonly refreshToken?: string
  readonly tokenEndpoint: string
  readonly serverIssuer: string | undefined
  readonly nowMs: number
  readonly jti: string
}

/** The grant of a token request, without the client's authentication. */
export interface TokenForm {
  readonly parameters: Readonly<Record<string, string>>
  /** What of it is secret, to be taken out of answers. */
  readonly secrets: readonly string[]
}

export const GRANT_TYPES = {
  client_credentials: 'client_credentials',
  refresh_token: 'refresh_token',
  authorization_code: 'authorization_code',
  jwt_bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const

/**
 * The parameters of one request for this target.
 *
 * @throws {AssertionError} where there is nothing to send
 * @see RFC 6749 §4.4, §6; RFC 7523 §2.1; RFC 8693 §2.1; RFC 8707 §2.2
 */
export async function tokenForm(target: TokenTarget, options: FormOptions): Promise<TokenForm> {
  const { connection } = target
  const refreshToken = options.refreshToken ?? connection.refreshToken?.()
  switch (connection.grant) {
    case 'client_credentials':
      return form('client_credentials', target, { ...scopeOf(target), ...audienceOf(target) })
    case 'jwt_bearer':
      return byBearerAssertion(target, options)
    case 'token_exchange':
      return byExchange(target)
    default:
      if (refreshToken === undefined) throw new AssertionError('there is no refresh token')
      return form(
        'refresh_token',
        target,
        {
          refresh_token: refreshToken,
          // Without it the token has what the sign-in gave; more than that is refused by many.
          ...(connection.grant === 'refresh_token' || isNarrowed(target) ? scopeOf(target) : {}),
          ...audienceOf(target),
        },
        [refreshToken],
      )
  }
}

function form(
  grant: keyof typeof GRANT_TYPES,
  { connection }: TokenTarget,
  parameters: Readonly<Record<string, string>>,
  secrets: readonly string[] = [],
): TokenForm {
  return {
    parameters: { grant_type: GRANT_TYPES[grant], ...connection.parameters, ...parameters },
    secrets,
  }
}

async function byBearerAssertion(target: TokenTarget, options: FormOptions): Promise<TokenForm> {
  const { connection, subject } = target
  const { bearerAssertion } = connection
  if (bearerAssertion === undefined) throw new AssertionError('there is no key to sign with')
  const inAssertion = bearerAssertion.scopesIn === 'assertion'
  const { scope } = scopeOf(target)
  const assertion = await signAssertion({
    ...options,
    signer: await useSigner(bearerAssertion.signer),
    profile: bearerAssertion.profile,
    issuer: bearerAssertion.issuer,
    ...(subject !== undefined && { subject }),
    claims: { ...bearerAssertion.claims, ...(inAssertion && scope !== undefined && { scope }) },
  })
  const rest = { ...(inAssertion ? {} : scopeOf(target)), ...audienceOf(target) }
  return form('jwt_bearer', target, { assertion, ...rest }, [assertion])
}

function byExchange(target: TokenTarget): TokenForm {
  const { exchange } = target.connection
  if (exchange === undefined) throw new AssertionError('there is no token to exchange')
  const subjectToken = exchange.subjectToken()
  const actorToken = exchange.actorToken?.()
  return form(
    'token_exchange',
    target,
    {
      subject_token: subjectToken,
      subject_token_type: exchange.subjectTokenType,
      ...(actorToken !== undefined && { actor_token: actorToken }),
      ...(exchange.actorTokenType !== undefined && { actor_token_type: exchange.actorTokenType }),
      ...(exchange.requestedTokenType !== undefined && {
        requested_token_type: exchange.requestedTokenType,
      }),
      ...scopeOf(target),
      ...audienceOf(target),
    },
    [subjectToken, ...(actorToken === undefined ? [] : [actorToken])],
  )
}

/** The scopes that are sent: those that the provider refuses anyway are left out. */
export function sentScopes({ scopes, connection }: TokenTarget): readonly string[] {
  return scopes.filter((scope) => !connection.strippedScopes.includes(scope))
}

/** No scope is no parameter: an empty one is refused by some. */
function scopeOf(target: TokenTarget): { readonly scope?: string } {
  const scopes = sentScopes(target)
  return scopes.length === 0 ? {} : { scope: scopes.join(' ') }
}

function audienceOf({
  audience,
  connection: { resource },
}: TokenTarget): Readonly<Record<string, string>> {
  return {
    ...(audience !== undefined && { audience }),
    ...(resource !== undefined && { resource }),
  }
}

function isNarrowed({ scopes, connection }: TokenTarget): boolean {
  return (
    scopes.length !== connection.scopes.length ||
    scopes.some((scope) => !connection.scopes.includes(scope))
  )
}
