import type { TokenFailure } from '@scopegate/oauth-model'
import { assertionIssuer } from '../authentication/assertion-issuer.ts'
import { type ClientAttempt, clientAttempts } from '../authentication/client-attempts.ts'
import { dpopProof, generateDpopKey } from '../authentication/dpop-proof.ts'
import { AssertionError } from '../authentication/sign-assertion.ts'
import { KeyUnreachable } from '../authentication/use-signer.ts'
import type { ConnectionGrant } from '../connection.ts'
import type { ServerMetadata } from '../discovery/server-metadata.ts'
import type { DpopKey, TokenOutcome, TokenTarget } from '../token-request.ts'
import type { Answer } from '../transport/transport.ts'
import { explainFailure } from './explain-failure.ts'
import { explainFault } from './explain-fault.ts'
import { isClientRefused, type ReadAnswer, readAnswer } from './read-answer.ts'
import type { ConnectionRuntime, RequesterDeps } from './requester-runtime.ts'
import { createScrub } from './scrub.ts'
import type { FormOptions, TokenForm } from './token-form.ts'

export interface AskTokenInput {
  readonly deps: RequesterDeps
  readonly runtime: ConnectionRuntime
  readonly target: TokenTarget
  readonly grant: ConnectionGrant
  /** Made anew for every request that is sent. */
  readonly makeForm: (options: FormOptions) => Promise<TokenForm>
  readonly dpopKey?: DpopKey
  readonly signal: AbortSignal
}

/** Never more, whatever is configured: each of them may be a failed login. */
const MAX_ATTEMPTS = 2

/**
 * One token request, with its discovery: within one time limit, with at most one other way of
 * authenticating after `invalid_client`, and one repetition for a DPoP nonce.
 */
export async function askToken(input: AskTokenInput): Promise<TokenOutcome> {
  const { deps, runtime, target, signal } = input
  const { connection } = target
  const limited = AbortSignal.any([signal, AbortSignal.timeout(connection.transport.timeoutMs)])
  let server: ServerMetadata
  try {
    server = await runtime.metadata.read(['tokenEndpoint'], limited)
  } catch (error) {
    return failed(explainFault(target, error, { stage: 'discovery', isTokenRequest: false }))
  }
  const attempts = runtime.refused
    .order(connection.name, clientAttempts(connection))
    .slice(0, MAX_ATTEMPTS)
  const [first] = attempts
  if (first === undefined || first.secret === '') {
    const finding = first === undefined ? 'secret_unset' : 'secret_empty'
    return failed(
      explainFailure(target, {
        stage: 'credential',
        finding,
        wasSent: false,
        ...(first && { attempt: first }),
      }),
    )
  }
  const dpopKey = connection.dpop ? (input.dpopKey ?? (await generateDpopKey())) : undefined
  const round = { ...input, server, dpopKey, signal: limited }
  const one = await tryOnce(round, first)
  const second = attempts[1]
  if (one.kind === 'token' || second === undefined || !isClientRefused(one.failure)) {
    return finish(one, dpopKey)
  }
  const other = await tryOnce(round, second)
  // Only now is it known that the secret was at fault.
  if (other.kind === 'failed') return finish(isClientRefused(other.failure) ? one : other, dpopKey)
  runtime.refused.note(connection.name, first)
  runtime.refused.forget(connection.name, second)
  // The same secret sent in another way is not an older one.
  if (first.secret === second.secret) return finish(other, dpopKey)
  deps.onEvent?.({
    type: 'credential_fallback',
    connection: connection.name,
    ...(first.source !== undefined && { refused: first.source }),
    ...(second.source !== undefined && { used: second.source }),
  })
  const warnings = [...other.token.warnings, 'credential_fallback']
  return finish({ ...other, token: { ...other.token, warnings } }, dpopKey)
}

type Tried = ReadAnswer & { readonly clockSkewSeconds?: number }

interface Round extends Omit<AskTokenInput, 'dpopKey'> {
  readonly server: ServerMetadata
  readonly dpopKey: DpopKey | undefined
}

async function tryOnce(round: Round, attempt: ClientAttempt): Promise<Tried> {
  const { runtime, target } = round
  try {
    const { answer, context } = await sendOnce(round, attempt)
    const read = readAnswer(answer, context)
    rememberNonce(runtime, answer)
    if (!wantsNonce(read, answer, round)) return withSkew(read, answer)
    const again = await sendOnce(round, attempt)
    rememberNonce(runtime, again.answer)
    return withSkew(readAnswer(again.answer, again.context), again.answer)
  } catch (error) {
    if (error instanceof AssertionError) return { kind: 'failed', failure: unusableKey(error) }
    if (error instanceof KeyUnreachable) return { kind: 'failed', failure: UNREACHABLE_KEY }
    return {
      kind: 'failed',
      failure: explainFault(target, error, {
        stage: 'token',
        isTokenRequest: true,
        attempt,
        grant: round.grant,
      }),
    }
  }
}

async function sendOnce(round: Round, attempt: ClientAttempt) {
  const { deps, runtime, target, server, dpopKey, grant } = round
  const { connection } = target
  const tokenEndpoint = server.tokenEndpoint ?? ''
  const nowMs = deps.nowMs()
  const serverIssuer = assertionIssuer(connection, server, tokenEndpoint)
  const common = { tokenEndpoint, serverIssuer, nowMs }
  const form = await round.makeForm({ ...common, jti: deps.newId() })
  const client = await attempt.make({ ...common, jti: deps.newId() })
  const usesMtls = connection.authentication.method === 'tls_client_auth'
  const url = (usesMtls ? server.mtlsTokenEndpoint : undefined) ?? tokenEndpoint
  const parameters = { ...form.parameters, ...client.form }
  const answer = await runtime.transport.send(
    {
      method: 'POST',
      url,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        ...client.headers,
        ...(dpopKey && {
          dpop: dpopProof({
            key: dpopKey,
            method: 'POST',
            url,
            nowMs,
            jti: deps.newId(),
            ...(runtime.dpopNonce !== undefined && { nonce: runtime.dpopNonce }),
          }),
        }),
      },
      body: new URLSearchParams(parameters).toString(),
    },
    round.signal,
  )
  const secrets = [
    ...form.secrets,
    ...(attempt.secret === undefined ? [] : [attempt.secret]),
    ...(client.form.client_assertion === undefined ? [] : [client.form.client_assertion]),
    ...Object.values(client.headers).map((value) => value.replace(/^Basic /, '')),
  ]
  return {
    answer,
    context: {
      target,
      grant,
      attempt,
      endpoint: url,
      dpop: dpopKey !== undefined,
      parameters: Object.keys(parameters),
      scrub: createScrub(secrets),
      nowMs: deps.nowMs(),
    },
  }
}

/** @see RFC 9449 §8 */
function wantsNonce(read: ReadAnswer, answer: Answer, { dpopKey }: Round): boolean {
  return (
    dpopKey !== undefined &&
    read.kind === 'failed' &&
    read.failure.provider?.error === 'use_dpop_nonce' &&
    answer.headers.has('dpop-nonce')
  )
}

function rememberNonce(runtime: ConnectionRuntime, answer: Answer): void {
  const nonce = answer.headers.get('dpop-nonce')
  if (nonce !== null && /^[\x21\x23-\x5b\x5d-\x7e]{1,500}$/.test(nonce)) runtime.dpopNonce = nonce
}

function withSkew(read: ReadAnswer, { clockSkewSeconds }: Answer): Tried {
  return clockSkewSeconds === undefined ? read : { ...read, clockSkewSeconds }
}

function finish(tried: Tried, dpopKey: DpopKey | undefined): TokenOutcome {
  if (tried.kind === 'failed') return tried
  const isBound = dpopKey !== undefined && tried.token.type === 'DPoP'
  return { kind: 'token', token: { ...tried.token, ...(isBound && { dpopKey }) } }
}

function failed(failure: TokenFailure): TokenOutcome {
  return { kind: 'failed', failure }
}

function unusableKey(error: AssertionError): TokenFailure {
  return {
    kind: 'configuration',
    code: 'key_unusable',
    cause: error.message,
    fix: 'name another key, or change `alg`, `headers` or `audience` of its `authentication`',
    wasSent: false,
  }
}

const UNREACHABLE_KEY: TokenFailure = {
  kind: 'temporary',
  code: 'key_unreachable',
  cause: 'the key that signs could not be read',
  fix: 'check the database that keeps it; it is tried again by itself',
  wasSent: false,
}
