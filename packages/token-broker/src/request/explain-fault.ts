import type { ProviderStage } from '@scopegate/checks'
import type { TokenFailure } from '@scopegate/oauth-model'
import type { ClientAttempt } from '../authentication/client-attempts.ts'
import type { ConnectionGrant } from '../connection.ts'
import { MetadataError } from '../discovery/server-metadata.ts'
import type { TokenTarget } from '../token-request.ts'
import { TransportFault } from '../transport/transport-fault.ts'
import { explainFailure } from './explain-failure.ts'
import { readRefusal, retryAfterOf } from './read-refusal.ts'
import { createScrub } from './scrub.ts'

/** What is told of a request that had no answer, or of metadata that cannot be used. */
export function explainFault(
  target: TokenTarget,
  error: unknown,
  at: {
    readonly stage: ProviderStage
    /** Discovery may be repeated whatever became of it. */
    readonly isTokenRequest: boolean
    readonly attempt?: ClientAttempt
    readonly grant?: ConnectionGrant
  },
): TokenFailure {
  const { connection } = target
  const endpoint = connection.tokenEndpoint ?? connection.metadataUrls[0] ?? connection.issuer
  const common = {
    stage: at.stage,
    ...(at.attempt && { attempt: at.attempt }),
    ...(at.grant && { grant: at.grant }),
    ...(endpoint !== undefined && { endpoint }),
  }
  if (error instanceof TransportFault) {
    const wasSent = at.isTokenRequest && error.wasSent
    const { finding, nodeCode, status } = signalOf(error)
    return explainFailure(target, {
      ...common,
      wasSent,
      proxy: error.proxy,
      ...(finding && { finding }),
      ...(nodeCode !== undefined && { nodeCode }),
      ...(status !== undefined && { message: { status } }),
    })
  }
  if (error instanceof MetadataError) {
    const { answer, expected, got } = error
    const retryAfterSeconds = answer && retryAfterOf(answer, 0)
    const isOutage = answer !== undefined && (answer.status >= 500 || answer.status === 429)
    return explainFailure(target, {
      ...common,
      wasSent: false,
      // Who only has a bad moment is no matter of settings.
      ...(!isOutage && { finding: error.finding }),
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      ...(answer && { message: readRefusal(answer, createScrub([])) }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    })
  }
  throw error
}

function signalOf({ code }: TransportFault) {
  const status = /^proxy_status_(\d+)$/.exec(code)?.[1]
  if (status !== undefined) return { status: Number(status) }
  if (code === 'timeout' || code === 'answer_too_large') return { finding: code } as const
  if (code === 'refused') return { finding: 'plain_http' } as const
  return { nodeCode: code === 'aborted' ? 'ABORT_ERR' : code }
}
