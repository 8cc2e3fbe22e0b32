import { LAB_ANSWER_FAULTS, type LabAnswerFault } from './answer-faults.ts'
import type { LabConditions, LabTokenServer } from './lab-token-server-types.ts'

/** Where a lab token server that runs is asked how it fares, and told to fare otherwise. */
export const LAB_STATE_PATH = '/lab/state'

const OUTAGES = ['unavailable', 'busy', 'silent', 'dropped', 'answer_lost']

/**
 * `GET`: counts, conditions and faults. `POST` with JSON: changes what it names; `null` takes a
 * condition back, `revoke` true ends every access token, `forget` true starts counting anew. A page
 * in a browser cannot send that content type here.
 */
export async function answerState(request: Request, server: LabTokenServer): Promise<Response> {
  if (request.method === 'GET') return Response.json(stateOf(server))
  if (request.method !== 'POST') return new Response(null, { status: 405 })
  if (request.headers.get('content-type') !== 'application/json') {
    return Response.json({ error: 'send application/json' }, { status: 415 })
  }
  const body = (await request.json().catch(() => undefined)) as unknown
  const problem = change(server, body)
  return problem === undefined
    ? Response.json(stateOf(server))
    : Response.json({ error: problem }, { status: 400 })
}

function stateOf({ issuer, tokenEndpoint, counts, conditions, answerFaults }: LabTokenServer) {
  return { issuer, tokenEndpoint, counts, conditions, faults: [...answerFaults] }
}

/** @returns what is wrong with the wish. */
function change(server: LabTokenServer, wish: unknown): string | undefined {
  if (typeof wish !== 'object' || wish === null) return 'send an object'
  const { conditions, answerFaults } = server
  for (const [name, given] of Object.entries(wish)) {
    const value: unknown = given ?? undefined
    switch (name) {
      case 'delayMs':
      case 'accessTokenSeconds':
        if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
          return `${name}: a number`
        }
        if (name === 'delayMs') conditions.delayMs = value ?? 0
        else conditions.accessTokenSeconds = value
        break
      case 'outage':
        if (value !== undefined && !OUTAGES.includes(String(value))) {
          return `outage: null or one of ${OUTAGES.join(', ')}`
        }
        conditions.outage = value as LabConditions['outage']
        break
      case 'retryAfter':
        conditions.retryAfter = value === undefined ? undefined : String(value)
        break
      case 'faults': {
        const faults = Array.isArray(value) ? value.map(String) : []
        const unknown = faults.find((fault) => !Object.hasOwn(LAB_ANSWER_FAULTS, fault))
        if (unknown !== undefined) {
          return `faults: no \`${unknown}\`; there are ${Object.keys(LAB_ANSWER_FAULTS).join(', ')}`
        }
        answerFaults.clear()
        for (const fault of faults) answerFaults.add(fault as LabAnswerFault)
        break
      }
      case 'revoke':
        if (value === true) server.revokeAccessTokens()
        break
      case 'forget':
        if (value === true) server.forget()
        break
      default:
        return `there is no \`${name}\`; there are delayMs, accessTokenSeconds, outage, retryAfter, faults, revoke, forget`
    }
  }
  return undefined
}
