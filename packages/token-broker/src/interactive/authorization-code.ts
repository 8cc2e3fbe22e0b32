import type { ProviderMessage } from '@scopegate/oauth-model'
import {
  AuthorizationResponseError,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  validateAuthResponse,
} from 'oauth4webapi'
import type { ServerMetadata } from '../discovery/server-metadata.ts'
import { askToken } from '../request/ask-token.ts'
import { explainFailure } from '../request/explain-failure.ts'
import { explainFault } from '../request/explain-fault.ts'
import type { Runtimes } from '../request/requester-runtime.ts'
import { createScrub, scrubMessage } from '../request/scrub.ts'
import { GRANT_TYPES, sentScopes } from '../request/token-form.ts'
import type { TokenOutcome, TokenTarget } from '../token-request.ts'
import type { BeginCodeOptions, BegunCode, PendingCode } from './sign-in-requester.ts'

/** Builds the address where the user signs in: always with PKCE. @see RFC 6749 §4.1.1, RFC 7636 */
export async function beginCode(
  runtimes: Runtimes,
  target: TokenTarget,
  { redirectUri, state, codeVerifier = generateRandomCodeVerifier(), signal }: BeginCodeOptions,
): Promise<BegunCode> {
  const { connection } = target
  const server = await findServer(runtimes, target, signal)
  if ('failure' in server) return { kind: 'failed', failure: server.failure }
  const url = new URL(server.metadata.authorizationEndpoint ?? '')
  const scopes = sentScopes(target)
  const parameters = {
    ...connection.authorizationParameters,
    response_type: 'code',
    client_id: connection.clientId,
    redirect_uri: redirectUri,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(target.audience !== undefined && { audience: target.audience }),
    ...(connection.resource !== undefined && { resource: connection.resource }),
    state,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return {
    kind: 'begun',
    authorizationUrl: url.href,
    pending: { redirectUri, state, codeVerifier },
  }
}

/**
 * Checks what the user came back with (`state`; `iss`, where the server names itself) and exchanges
 * the code. An answer of another server than was asked is refused.
 *
 * @see RFC 6749 §4.1.3; RFC 9207 §2.4
 */
export async function completeCode(
  runtimes: Runtimes,
  target: TokenTarget,
  pending: PendingCode,
  parameters: URLSearchParams,
  signal: AbortSignal,
): Promise<TokenOutcome> {
  const server = await findServer(runtimes, target, signal)
  if ('failure' in server) return { kind: 'failed', failure: server.failure }
  const code = readCode(target, server.metadata, pending, parameters)
  if (typeof code !== 'string') return code
  return askToken({
    deps: runtimes.deps,
    runtime: runtimes.of(target.connection),
    target,
    grant: 'authorization_code',
    makeForm: async () => ({
      parameters: {
        grant_type: GRANT_TYPES.authorization_code,
        ...target.connection.parameters,
        code,
        redirect_uri: pending.redirectUri,
        code_verifier: pending.codeVerifier,
        ...(target.connection.resource !== undefined && { resource: target.connection.resource }),
      },
      secrets: [code, pending.codeVerifier],
    }),
    signal,
  })
}

async function findServer({ of }: Runtimes, target: TokenTarget, signal: AbortSignal) {
  const { connection } = target
  const limited = AbortSignal.any([signal, AbortSignal.timeout(connection.transport.timeoutMs)])
  try {
    const { metadata } = of(connection)
    const needed = ['tokenEndpoint', 'authorizationEndpoint'] as const
    return { metadata: await metadata.read(needed, limited) }
  } catch (error) {
    return {
      failure: explainFault(target, error, { stage: 'discovery', isTokenRequest: false }),
    }
  }
}

function readCode(
  target: TokenTarget,
  { issuer, namesItself }: ServerMetadata,
  pending: PendingCode,
  parameters: URLSearchParams,
): string | TokenOutcome {
  const { clientId } = target.connection
  const given = new URLSearchParams(parameters)
  // Nothing to compare it with; the library wants an issuer.
  if (issuer === undefined) given.delete('iss')
  const server = {
    issuer: issuer ?? 'https://unknown.invalid',
    authorization_response_iss_parameter_supported: namesItself,
  }
  try {
    const checked = validateAuthResponse(server, { client_id: clientId }, given, pending.state)
    const code = checked.get('code')
    return code ?? refused('the answer holds no `code`')
  } catch (error) {
    if (!(error instanceof AuthorizationResponseError)) return refused((error as Error).message)
    const scrub = createScrub([pending.codeVerifier, pending.state])
    const { error: name, error_description: description } = error
    const message: ProviderMessage = {
      error: scrubMessage(name, scrub),
      ...(description !== undefined && { description: scrubMessage(description, scrub) }),
    }
    const facts = { wasSent: false, grant: 'authorization_code', message } as const
    return { kind: 'failed', failure: explainFailure(target, facts) }
  }
}

function refused(why: string): TokenOutcome {
  return {
    kind: 'failed',
    failure: {
      kind: 'sign-in',
      code: 'sign_in_answer_invalid',
      cause: `what the browser came back with is no answer to this sign-in: ${why}`,
      fix: 'begin the sign-in again, and finish it in the same browser',
      wasSent: false,
    },
  }
}
