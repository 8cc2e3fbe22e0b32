import type { ExpectedAudience, TokenVerifier } from '@scopegate/oauth-model'

export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Which clients may bring tokens of which issuer, and what they get at most. */
export interface TokenExchangePolicy {
  readonly issuer: string
  /** Ids of clients of ours. */
  readonly clients: readonly string[]
  /** Space-separated; missing: no limit beside the subject token and the registration. */
  readonly scopes?: string
}

export interface TokenExchangeDeps {
  readonly policies: readonly TokenExchangePolicy[]
  /** Knows the issuers of the policies. */
  readonly verifier: TokenVerifier
  /** What subject tokens must be issued for. */
  readonly audiences: ExpectedAudience['audiences']
}

/** Whether a client may exchange tokens at all. */
export function mayExchange(clientId: string, deps: TokenExchangeDeps | undefined): boolean {
  return deps?.policies.some(({ clients }) => clients.includes(clientId)) ?? false
}
