import { findProviderError, type ProviderSignal, secretFacts } from '@scopegate/checks'
import type { ProviderMessage, TokenFailure } from '@scopegate/oauth-model'
import type { ClientAttempt } from '../authentication/client-attempts.ts'
import type { Connection } from '../connection.ts'
import type { TokenTarget } from '../token-request.ts'

/** What is known here about a failure, beside what the provider said. */
export type FailureFacts = Pick<
  ProviderSignal,
  | 'stage'
  | 'finding'
  | 'nodeCode'
  | 'endpoint'
  | 'clockSkewSeconds'
  | 'proxy'
  | 'parameters'
  | 'expected'
  | 'got'
  | 'keyId'
  | 'certificate'
  | 'assertionAudience'
  | 'assertionAlgorithm'
  | 'grant'
> & {
  readonly wasSent: boolean
  readonly attempt?: ClientAttempt
  readonly message?: ProviderMessage
  readonly retryAfterSeconds?: number
}

/** Why there is no token, by the catalogue, in words that fit this connection. */
export function explainFailure(target: TokenTarget, facts: FailureFacts): TokenFailure {
  const { connection } = target
  const { wasSent, attempt, message, retryAfterSeconds, ...known } = facts
  const { code, kind, cause, fix } = findProviderError({
    stage: 'token',
    ...known,
    ...signalOf(connection),
    grant: known.grant ?? connection.grant,
    ...(message && withoutTimestamp(message)),
    scopes: target.scopes,
    ...(target.audience !== undefined && { audience: target.audience }),
    ...(target.subject !== undefined && { subject: target.subject }),
    ...(attempt && { authentication: attempt.method }),
    ...(attempt?.secret !== undefined && { secret: secretFacts(attempt.secret, attempt.source) }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
  return {
    ...{ kind, code, cause, fix, wasSent },
    ...(message && { provider: message }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
}

function signalOf(connection: Connection): ProviderSignal {
  return {
    preset: connection.preset,
    connection: connection.name,
    authentication: connection.authentication.method,
    clientId: connection.clientId,
    ...(connection.issuer !== undefined && { issuer: connection.issuer }),
  }
}

function withoutTimestamp({ timestamp: _, ...message }: ProviderMessage) {
  return message
}
