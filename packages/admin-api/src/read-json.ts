import { readBody } from '@scopegate/http'
import { AdminProblem } from './problem.ts'

const LIMIT_BYTES = 1024 * 1024

/** The members of a JSON object in the body. @throws {AdminProblem} 400 or 413, with what to send. */
export async function readJsonObject(request: Request): Promise<Record<string, unknown>> {
  const body = await readBody(request, { limitBytes: LIMIT_BYTES })
  if (!body.ok) {
    throw new AdminProblem(
      body.problem.reason === 'too-large' ? 413 : 400,
      `the body cannot be read: ${body.problem.reason}`,
    )
  }
  try {
    const value = JSON.parse(body.text)
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value
  } catch {
    // Answered below: what a parser says may repeat what was sent.
  }
  throw new AdminProblem(400, 'the body is not a JSON object', 'send {"member": …} as UTF-8 JSON')
}

/** Refuses members that mean nothing here, so that a typo does not pass. */
export function refuseUnknown(members: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(members).filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new AdminProblem(
      400,
      `unknown members: ${unknown.map((name) => `\`${name}\``).join(', ')}`,
      `known are ${known.join(', ')}`,
    )
  }
}

/** A text member. @throws {AdminProblem} 400 when it is missing without a fallback, or no text. */
export function textMember(members: Record<string, unknown>, name: string, fallback?: string) {
  const value = members[name] ?? fallback
  if (typeof value === 'string' && value !== '') return value
  throw new AdminProblem(400, `\`${name}\` must be text and not empty`)
}
