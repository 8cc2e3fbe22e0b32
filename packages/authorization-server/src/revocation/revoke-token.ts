import type { Provider } from 'oidc-provider'
import type { OwnToken, OwnTokens } from '../own-endpoints/own-tokens.ts'
import type { ReadForm } from '../own-endpoints/read-token-form.ts'
import type { OwnAnswer, OwnCall, Refusals } from '../own-endpoints/refusals.ts'
import type { Revocations } from './revocations.ts'

/** A token that was revoked by its client. */
export interface TokenRevoked {
  readonly correlationId: string
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly clientId: string
  readonly address: string
  readonly kind: OwnToken['kind']
  readonly grantId?: string
}

export interface RevocationDeps {
  readonly tokens: OwnTokens
  readonly refuse: Refusals
  readonly revocations: Pick<Revocations, 'revokeToken' | 'revokeGrant'>
  /** Ends a grant with all that the engine keeps of it. */
  readonly endGrant: (grantId: string, reason: string) => Promise<unknown>
  readonly engine: () => Promise<Provider>
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly onTokenRevoked?: ((revoked: TokenRevoked) => void) | undefined
}

/**
 * Ends a token for the client that it was issued to. A refresh token takes its whole grant along:
 * the access tokens of it end too, and a rotated one does the same. An access token ends alone.
 *
 * @see RFC 7009 §2.1, §2.2: what is not there needs no revocation, and is no error
 */
export async function answerRevocation(
  call: OwnCall,
  form: ReadForm,
  clientId: string,
  deps: RevocationDeps,
): Promise<OwnAnswer> {
  const { tokens, refuse } = deps
  const token = (await tokens.find(form.token, form.hint)) ?? (await tokens.findUsed(form.token))
  if (token === undefined) return { status: 200 }
  if (token.clientId !== clientId) {
    const told = 'the token was issued to another client: it can be revoked by that client only'
    return refuse.byReason(call, 'token_of_other_client', told, { clientId })
  }
  await revokeToken(token, form.token, deps)
  const { kind, grantId } = token
  deps.onTokenRevoked?.({
    correlationId: call.correlationId,
    atMs: deps.nowMs(),
    clientId,
    address: call.address,
    kind,
    ...(grantId === undefined ? {} : { grantId }),
  })
  return { status: 200 }
}

async function revokeToken(
  token: OwnToken,
  text: string,
  { revocations, endGrant, engine }: RevocationDeps,
): Promise<void> {
  if (token.kind === 'refresh') {
    if (token.grantId === undefined) return
    await endGrant(token.grantId, 'client')
    await revocations.revokeGrant(token.grantId)
    return
  }
  await revocations.revokeToken(token.id, token.expiresAt)
  if (text.includes('.')) return
  const { AccessToken, ClientCredentials } = await engine()
  const stored = (await AccessToken.find(text)) ?? (await ClientCredentials.find(text))
  await stored?.destroy()
}
