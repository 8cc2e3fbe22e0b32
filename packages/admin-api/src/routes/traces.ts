import type { TraceQuery } from '@scopegate/audit'
import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'
import { AdminProblem } from '../problem.ts'

const OUTCOMES = ['permitted', 'refused', 'absent', 'failed'] as const
const PARAMETERS = ['correlation_id', 'client_id', 'outcome', 'limit', 'before_ms']

/** Newest first. */
export async function listTraces({ deps, query }: AdminCall): Promise<AdminAnswer> {
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
  const limit = wholeNumber(query, 'limit')
  const beforeMs = wholeNumber(query, 'before_ms')
  const search: TraceQuery = {
    ...(correlationId !== null && { correlationId }),
    ...(clientId !== null && { clientId }),
    ...(outcome && { outcome }),
    ...(limit !== undefined && { limit }),
    ...(beforeMs !== undefined && { beforeMs }),
  }
  return answerJson({ traces: await deps.traces.list(search) })
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
