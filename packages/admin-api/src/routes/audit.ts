import type { AdminAuditQuery } from '@scopegate/audit'
import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'

export async function verifyAudit({ deps }: AdminCall): Promise<AdminAnswer> {
  return answerJson(await deps.audit.verify())
}

const TEXTS = {
  action: 'action',
  client_id: 'clientId',
  target: 'target',
  correlation_id: 'correlationId',
} as const
const NUMBERS = { from_ms: 'fromMs', before_ms: 'beforeMs', limit: 'limit' } as const

/** What was done over the admin API, by whom: changes, tokens handed out, signatures. Newest first. */
export async function listAudit({ deps, query }: AdminCall): Promise<AdminAnswer> {
  const list = offered(deps.audit.list, 'audit to read')
  return answerJson({ entries: await list(readQuery(query)) })
}

function readQuery(query: URLSearchParams): AdminAuditQuery {
  const read: Record<string, string | number> = {}
  for (const [name, value] of query) {
    if (Object.hasOwn(TEXTS, name)) read[TEXTS[name as keyof typeof TEXTS]] = value
    else if (!Object.hasOwn(NUMBERS, name)) {
      const known = [...Object.keys(TEXTS), ...Object.keys(NUMBERS)].join(', ')
      throw new AdminProblem(400, `unknown parameter \`${name}\``, `known are ${known}`)
    } else if (!/^\d{1,15}$/.test(value)) {
      throw new AdminProblem(400, `\`${name}\` must be a whole number`)
    } else read[NUMBERS[name as keyof typeof NUMBERS]] = Number(value)
  }
  return read
}
