import type { IncomingMessage } from 'node:http'
import { type AnyCheck, failed, failedOutbound } from '@scopegate/checks'
import type { TokenVerifier } from '@scopegate/oauth-model'

/** `Authorization` is replaced on the way, so callers say who they are in a header of their own. */
export const CALLER_HEADER = 'scopegate-authorization'

/** What a caller's token must hold. @see docs/reference/sidecar.md */
export const CONNECTIONS_SCOPE = 'connections.use'

export interface SidecarCaller {
  readonly clientId: string
  readonly issuer: string
  /** Epoch seconds. */
  readonly expiresAt: number
}

export type CallerVerdict =
  | { readonly ok: true; readonly caller: SidecarCaller; readonly checks: readonly AnyCheck[] }
  | {
      readonly ok: false
      readonly clientId?: string
      readonly checks: readonly AnyCheck[]
      readonly headers?: Readonly<Record<string, string>>
    }

/**
 * Who calls, where being on this machine is not enough: an access token of this server for the
 * connection (`<url>/out/<connection>`), of a client that the connection lists.
 */
export async function authenticateCaller(
  request: IncomingMessage,
  asked: {
    /** The audience of its token. */
    readonly resource: string
    /** Of the connection. */
    readonly name: string
    readonly callers: ReadonlySet<string>
  },
  path: string,
  {
    verifier,
    issuer,
    isInspected,
  }: { readonly verifier: TokenVerifier; readonly issuer: string; readonly isInspected: boolean },
): Promise<CallerVerdict> {
  const { [CALLER_HEADER]: sent, dpop: proof } = request.headers
  const { resource, name, callers } = asked
  let verdict: Awaited<ReturnType<TokenVerifier['verify']>>
  try {
    verdict = await verifier.verify(
      typeof sent === 'string' ? sent : undefined,
      { audiences: [resource], issuers: [issuer] },
      {
        isInspected,
        request: {
          method: request.method!,
          url: `${resource}${path === '/' ? '' : path}`,
          ...(typeof proof === 'string' && { proof }),
        },
      },
    )
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'keys_unavailable') throw error
    return { ok: false, checks: [failed('keys_unavailable')], headers: { 'Retry-After': '5' } }
  }
  if (!verdict.ok) {
    const { checks, claimed, dpopNonce } = verdict
    return {
      ...{ ok: false, checks },
      ...(claimed?.clientId && { clientId: claimed.clientId }),
      ...(dpopNonce && { headers: { 'DPoP-Nonce': dpopNonce } }),
    }
  }
  const { clientId, issuer: by, expiresAt, scope } = verdict.token
  const refuse = (check: AnyCheck) =>
    ({ ok: false, clientId, checks: [...verdict.checks, check] }) as const
  if (!scope.split(' ').includes(CONNECTIONS_SCOPE)) {
    const detail = { expected: CONNECTIONS_SCOPE, got: scope === '' ? 'none' : scope }
    return refuse(failedOutbound('connection_scope_missing', detail))
  }
  if (!callers.has(clientId)) {
    const detail = { expected: `connection ${name}`, got: clientId }
    return refuse(failedOutbound('connection_caller_unknown', detail))
  }
  const caller: AnyCheck = { name: 'caller', outcome: 'pass', got: clientId }
  const checks = [...verdict.checks, caller]
  return { ok: true, caller: { clientId, issuer: by, expiresAt }, checks }
}
