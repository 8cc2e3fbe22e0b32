import type {
  LabOpenIdProvider,
  LabOpenIdProviderOptions,
} from '../open-id-provider/lab-open-id-provider-types.ts'
import type { LabAnswerFault } from './answer-faults.ts'

export interface LabTokenServerOptions
  extends Omit<LabOpenIdProviderOptions, 'accessTokenSeconds'> {
  /** How long tokens live, unless {@link LabTokenServer.conditions} says otherwise later. */
  readonly accessTokenSeconds?: number
  readonly conditions?: Partial<LabConditions>
}

/** How the token server fares; every member can be changed while it runs. */
export interface LabConditions {
  /** Before every answer of the token endpoint. */
  delayMs: number
  /** Of tokens issued from now on. `undefined`: what the flavour gives. */
  accessTokenSeconds: number | undefined
  /**
   * `unavailable`: 503. `busy`: 429. `silent`: takes the request and never answers. `dropped`: ends
   * the connection before it looks at the request. `answer_lost`: does what is asked, and ends the
   * connection instead of answering.
   */
  outage: 'unavailable' | 'busy' | 'silent' | 'dropped' | 'answer_lost' | undefined
  /** Beside `unavailable` and `busy`: seconds, or a date as HTTP spells it. */
  retryAfter: string | undefined
}

/** A token request that came. Holds secrets: it is a lab. */
export interface LabTokenRequest {
  /** Epoch milliseconds. */
  readonly receivedAtMs: number
  readonly headers: Readonly<Record<string, string>>
  readonly form: Readonly<Record<string, string>>
  /** Of the client assertion, or of the assertion of the grant. */
  readonly assertion?: {
    readonly header: Readonly<Record<string, unknown>>
    readonly claims: Readonly<Record<string, unknown>>
  }
  /** Missing while it is under way, and where the connection was ended. */
  status?: number
  answeredAtMs?: number
}

/** An answer to order. */
export interface LabScriptedAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text goes out as it is, anything else as JSON. */
  readonly body?: unknown
}

/** A provider whose token endpoint is watched, and behaves as told. */
export interface LabTokenServer extends LabOpenIdProvider {
  readonly tokenEndpoint: string
  readonly conditions: LabConditions
  /** Add to it, and every answer of the token endpoint is odd in that way. */
  readonly answerFaults: Set<LabAnswerFault>
  /** Every token request since the start or the last `forget`, in order. */
  readonly requests: LabTokenRequest[]
  readonly counts: {
    /** Token requests. */
    readonly requests: number
    /** Answered 200. */
    readonly issued: number
    readonly refused: number
    readonly inFlight: number
    /** The most at one time. */
    readonly maxInFlight: number
  }
  /** The next token requests are answered so, each answer once, in order. */
  say(...answers: readonly LabScriptedAnswer[]): void
  /** Token requests wait, before anything is done with them, until the returned function is called. */
  hold(): () => void
  /** Forgets what was counted and scripted; tokens live on. */
  forget(): void
}
