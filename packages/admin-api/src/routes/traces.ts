import type { Trace, TraceQuery } from '@scopegate/audit'
import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'

const OUTCOMES = ['permitted', 'refused', 'absent', 'failed'] as const
const PARAMETERS = [
  ...['correlation_id', 'client_id', 'outcome', 'code', 'path'],
  ...['limit', 'before_ms', 'follow'],
]
/** Proxies cut connections on which nothing comes. */
const KEEP_ALIVE_MS = 15_000

/** Newest first; with `follow`, those that come from now on, as server-sent events. */
export async function listTraces(call: AdminCall): Promise<AdminAnswer> {
  const { deps, query } = call
  const search = readQuery(query)
  if (!isFollowing(query)) return answerJson({ traces: await deps.traces.list(search) })
  const follow = offered(deps.traces.follow, 'live traces')
  return { response: eventStream((signal) => follow(search, signal), call) }
}

function readQuery(query: URLSearchParams): TraceQuery {
  for (const name of query.keys()) {
    if (PARAMETERS.includes(name)) continue
    throw new AdminProblem(
      400,
      `unknown parameter \`${name}\``,
      `known are ${PARAMETERS.join(', ')}`,
    )
  }
  const correlationId = query.get('correlation_id')
  const clientId = query.get('client_id')
  const outcome = outcomeOf(query.get('outcome'))
  const code = query.get('code')
  const path = query.get('path')
  const limit = wholeNumber(query, 'limit')
  const beforeMs = wholeNumber(query, 'before_ms')
  return {
    ...(correlationId !== null && { correlationId }),
    ...(clientId !== null && { clientId }),
    ...(outcome && { outcome }),
    ...(code !== null && { code }),
    ...(path !== null && { path }),
    ...(limit !== undefined && { limit }),
    ...(beforeMs !== undefined && { beforeMs }),
  }
}

/** `?follow`, as people write it, or with a value. */
function isFollowing(query: URLSearchParams): boolean {
  const value = query.get('follow')
  if (value === null || value === 'false') return false
  if (value === '' || value === 'true') return true
  throw new AdminProblem(400, '`follow` takes no value', 'write ?follow')
}

/**
 * One event `trace` per trace, until the caller hangs up, the server stops or the token ends: who
 * may no longer look does not go on looking.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
function eventStream(
  traces: (signal: AbortSignal) => AsyncIterable<Trace>,
  { request, token, deps }: AdminCall,
): Response {
  const encoder = new TextEncoder()
  const ended = new AbortController()
  const leftMs = Math.min(token.expiresAt * 1000 - deps.nowMs(), 2 ** 31 - 1)
  const timers: NodeJS.Timeout[] = []
  const end = () => ended.abort()
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const send = (text: string) => {
        if (!ended.signal.aborted) controller.enqueue(encoder.encode(text))
      }
      timers.push(
        setTimeout(end, Math.max(0, leftMs)).unref(),
        setInterval(() => send(': still here\n\n'), KEEP_ALIVE_MS).unref(),
      )
      request.signal.addEventListener('abort', end)
      deps.stopping?.addEventListener('abort', end)
      send('retry: 2000\n\n')
      run(send)
        .catch((error) => {
          send('event: error\ndata: the traces cannot be read\n\n')
          deps.onError?.(error, 'follow')
        })
        .finally(() => {
          end()
          for (const timer of timers) clearTimeout(timer)
          deps.stopping?.removeEventListener('abort', end)
          try {
            controller.close()
          } catch {
            // Whoever read has gone.
          }
        })
      async function run(out: (text: string) => void): Promise<void> {
        for await (const trace of traces(ended.signal)) {
          // A reader that does not keep up loses traces, not the server its memory.
          if ((controller.desiredSize ?? 0) < -1000) continue
          out(`event: trace\ndata: ${JSON.stringify(trace)}\n\n`)
        }
      }
    },
    cancel: end,
  })
  return new Response(body, {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    },
  })
}

function outcomeOf(text: string | null) {
  if (text === null) return undefined
  const outcome = OUTCOMES.find((known) => known === text)
  if (outcome) return outcome
  throw new AdminProblem(400, '`outcome` is unknown', `use one of ${OUTCOMES.join(', ')}`)
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new AdminProblem(400, `\`${name}\` must be a whole number`)
}
