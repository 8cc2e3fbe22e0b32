import { setTimeout as wait } from 'node:timers/promises'
import { LAB_FLAVOURS } from '../open-id-provider/flavours/index.ts'
import { readPart } from '../open-id-provider/lab-client.ts'
import { createLabOpenIdProvider } from '../open-id-provider/lab-open-id-provider.ts'
import { ConnectionDropped } from '../serve-on-loopback.ts'
import { answerInstead, type LabAnswerFault, oddAnswer } from './answer-faults.ts'
import { answerState, LAB_STATE_PATH } from './answer-state.ts'
import type {
  LabConditions,
  LabScriptedAnswer,
  LabTokenRequest,
  LabTokenServer,
  LabTokenServerOptions,
} from './lab-token-server-types.ts'

/**
 * A lab provider for those who fetch tokens: counts and remembers every token request, is slow,
 * busy, down or odd as told, and knows which token is the newest. Never for production.
 *
 * `fetch` throws {@link ConnectionDropped} where a connection is to end without an answer.
 */
export function createLabTokenServer(options: LabTokenServerOptions): LabTokenServer {
  const conditions: LabConditions = {
    delayMs: 0,
    outage: undefined,
    retryAfter: undefined,
    accessTokenSeconds: options.accessTokenSeconds,
    ...options.conditions,
  }
  const provider = createLabOpenIdProvider({
    ...options,
    accessTokenSeconds: () => conditions.accessTokenSeconds,
  })
  const issuer = new URL(options.issuer)
  const path = tokenPath(options.flavour, issuer)
  const answerFaults = new Set<LabAnswerFault>()
  const requests: LabTokenRequest[] = []
  const script: LabScriptedAnswer[] = []
  const counts = { requests: 0, issued: 0, refused: 0, inFlight: 0, maxInFlight: 0 }

  let held: Promise<void> | undefined

  async function answerToken(request: Request): Promise<Response> {
    const { outage, retryAfter } = conditions
    if (outage === 'dropped') throw new ConnectionDropped()
    if (outage === 'silent') return untilGone(request.signal)
    await held
    if (conditions.delayMs > 0) await wait(conditions.delayMs, undefined, { ref: false })
    const scripted = script.shift()
    if (scripted !== undefined) return toResponse(scripted)
    if (outage === 'unavailable' || outage === 'busy') {
      const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
      return new Response('busy', { status: outage === 'busy' ? 429 : 503, headers })
    }
    const instead = answerInstead(answerFaults)
    if (instead !== undefined) return instead
    const answer = await oddAnswer(await provider.fetch(request), answerFaults)
    if (outage === 'answer_lost') throw new ConnectionDropped()
    return answer
  }

  async function watch(request: Request): Promise<Response> {
    const form = Object.fromEntries(new URLSearchParams(await request.clone().text()))
    const assertion = form.client_assertion ?? form.assertion
    const seen: LabTokenRequest = {
      receivedAtMs: Date.now(),
      headers: Object.fromEntries(request.headers),
      form,
      ...(assertion !== undefined && {
        assertion: { header: readPart(assertion, 0) ?? {}, claims: readPart(assertion, 1) ?? {} },
      }),
    }
    requests.push(seen)
    counts.requests++
    counts.inFlight++
    counts.maxInFlight = Math.max(counts.maxInFlight, counts.inFlight)
    try {
      const answer = await answerToken(request)
      if (answer.status === 200) counts.issued++
      else counts.refused++
      seen.status = answer.status
      seen.answeredAtMs = Date.now()
      return answer
    } finally {
      counts.inFlight--
    }
  }

  const server: LabTokenServer = {
    ...provider,
    tokenEndpoint: `${options.origin ?? issuer.origin}${path}`,
    ...{ conditions, answerFaults, requests, counts },
    say: (...answers) => void script.push(...answers),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return () => {
        held = undefined
        resolve()
      }
    },
    forget() {
      requests.length = 0
      script.length = 0
      Object.assign(counts, { requests: 0, issued: 0, refused: 0, maxInFlight: counts.inFlight })
    },
    async fetch(request) {
      const { status, headers, body } = await route(request)
      const answer = new Response(body, { status, headers })
      // Whoever compares clocks is to see this one.
      if (options.now) answer.headers.set('date', new Date(options.now() * 1000).toUTCString())
      return answer
    },
  }

  async function route(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === LAB_STATE_PATH) return answerState(request, server)
    // Entra has two of them.
    const isToken =
      request.method === 'POST' && /\/token$/.test(pathname) && pathname !== '/lab/token'
    return isToken ? watch(request) : provider.fetch(request)
  }
  return server
}

function tokenPath(flavour: LabTokenServerOptions['flavour'], issuer: URL): string {
  return LAB_FLAVOURS[flavour].paths(issuer.pathname.replace(/\/$/, '')).token
}

/** Holds a request until whoever sent it is gone. */
function untilGone(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new ConnectionDropped())
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

function toResponse({ status = 200, headers = {}, body }: LabScriptedAnswer): Response {
  if (typeof body === 'string' || body === undefined) {
    return new Response(body ?? null, { status, headers })
  }
  return Response.json(body, { status, headers })
}
