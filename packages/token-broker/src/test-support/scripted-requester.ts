import type { TokenFailure } from '@scopegate/oauth-model'
import type {
  FetchedToken,
  TokenOutcome,
  TokenRequester,
  TokenTarget,
} from '@scopegate/token-broker'

export interface ScriptedRequest {
  readonly target: TokenTarget
  readonly refreshToken: string | undefined
  readonly signal: AbortSignal
  /** Answers it; without, `answer` of the requester does. */
  respond(outcome: TokenOutcome): void
}

export interface ScriptedRequester extends TokenRequester {
  readonly requests: readonly ScriptedRequest[]
  /** Of all requests from now on; `undefined`: they wait for their `respond`. */
  answer: ((request: ScriptedRequest, count: number) => TokenOutcome) | undefined
  readonly inFlight: { now: number; most: number }
}

/** Answers as a test says, and remembers what it was asked. By default: a new token for an hour. */
export function createScriptedRequester(): ScriptedRequester {
  const requests: ScriptedRequest[] = []
  const inFlight = { now: 0, most: 0 }
  const requester: ScriptedRequester = {
    requests,
    inFlight,
    answer: (_request, count) => tokenOutcome({ accessToken: `token-${count}` }),
    async request(target, { refreshToken, signal }) {
      const { promise, resolve } = Promise.withResolvers<TokenOutcome>()
      const request = { target, refreshToken, signal, respond: resolve }
      requests.push(request)
      inFlight.now += 1
      inFlight.most = Math.max(inFlight.most, inFlight.now)
      if (requester.answer) resolve(requester.answer(request, requests.length))
      try {
        return await promise
      } finally {
        inFlight.now -= 1
      }
    },
  }
  return requester
}

export function tokenOutcome(token: Partial<FetchedToken> = {}): TokenOutcome {
  return {
    kind: 'token',
    token: {
      ...{ accessToken: 'token', type: 'Bearer', expiresInSeconds: 3600 },
      ...{ scopes: ['system/Observation.rs'], warnings: [] },
      ...token,
    },
  }
}

export function failedOutcome(failure: Partial<TokenFailure> = {}): TokenOutcome {
  return {
    kind: 'failed',
    failure: {
      ...{ kind: 'temporary', code: 'provider_unavailable', wasSent: true },
      ...{ cause: 'the provider answered 503', fix: 'wait' },
      provider: { status: 503 },
      ...failure,
    },
  }
}
