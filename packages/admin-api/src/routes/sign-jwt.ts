import { problemResponse } from '@scopegate/http'
import { HEADER_MEMBERS, type SigningCaller, type SigningWish } from '@scopegate/keys'
import { type AdminAnswer, type AdminCall, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown } from '../read-json.ts'

/**
 * Signs claims that a grant of the caller allows. Every signature and every refusal leaves an audit
 * entry; a signature whose entry cannot be written is not answered.
 */
export async function signJwt(call: AdminCall): Promise<AdminAnswer> {
  const { deps, params, request, correlationId } = call
  const name = params.name ?? ''
  const wish = readWish(await readJsonObject(request))
  const answer = await offered(deps.signKeys, 'keys that sign for others').sign(
    name,
    callerOf(call),
    wish,
  )
  const target = `key/${name.slice(0, 64)}`
  if (!answer.ok) {
    const { status, why, fix, refusals, retryAfterSeconds } = answer
    const response = problemResponse(undefined, {
      status,
      detail: why,
      ...(fix !== undefined && { fix }),
      ...(refusals && { members: { refusals } }),
      ...(retryAfterSeconds !== undefined && {
        headers: { 'Retry-After': String(retryAfterSeconds) },
      }),
      correlationId,
    })
    const refused = refusals?.map(({ member }) => member)
    return {
      response,
      decision: 'refused',
      audit: { target, ...(refused && { detail: { refused } }) },
    }
  }
  const { jwt, record, warnings } = answer
  return {
    response: answerJwt(call, jwt, record, warnings),
    audit: { target, detail: { ...record } },
  }
}

/** Whose grants count: those of the client, and of its roles in the configuration and its token. */
export function callerOf({ deps, token }: Pick<AdminCall, 'deps' | 'token'>): SigningCaller {
  const { clientId, claims } = token
  const told = claims?.roles
  const isList = Array.isArray(told) && told.every((role) => typeof role === 'string')
  return { clientId, roles: [...(deps.rolesOfClient?.(clientId) ?? []), ...(isList ? told : [])] }
}

type Signed = Extract<
  Awaited<ReturnType<NonNullable<AdminCall['deps']['signKeys']>['sign']>>,
  { ok: true }
>

function answerJwt(
  { request }: AdminCall,
  jwt: string,
  { kid, alg, jti, exp }: Signed['record'],
  warnings: Signed['warnings'],
): Response {
  const headers = { 'Cache-Control': 'no-store' }
  if (request.headers.get('accept')?.trim() === 'application/jwt') {
    return new Response(jwt, { headers: { ...headers, 'Content-Type': 'application/jwt' } })
  }
  const told = warnings.map(({ kind, message, fix }) => ({ kind, message, fix }))
  return Response.json(
    { jwt, kid, alg, jti, expires_at: exp, ...(told.length > 0 && { warnings: told }) },
    { headers },
  )
}

/** Claims alone, or `claims` and `header`. */
function readWish(members: Record<string, unknown>): SigningWish {
  const isLong = isObject(members.claims) || isObject(members.header)
  if (!isLong) return { claims: members }
  refuseUnknown(members, ['claims', 'header'])
  const claims = objectMember(members, 'claims')
  const header = objectMember(members, 'header')
  const unknown = Object.keys(header).filter((name) => !HEADER.includes(name))
  if (unknown.length > 0) {
    throw new AdminProblem(
      403,
      `the header cannot be given ${unknown.map((name) => `\`${name.slice(0, 50)}\``).join(', ')}`,
      `it takes ${HEADER.join(', ')}; \`kid\` is set by this server`,
    )
  }
  const flags = HEADER_MEMBERS.flatMap((name) => {
    const value = header[name]
    if (value === undefined) return []
    if (typeof value === 'boolean') return [[name, value] as const]
    throw new AdminProblem(
      400,
      `\`header.${name}\` must be true or false`,
      'its value is computed here',
    )
  })
  const alg = textOf(header, 'alg')
  const typ = textOf(header, 'typ')
  return {
    claims,
    ...(alg !== undefined && { alg }),
    ...(typ !== undefined && { typ }),
    headers: Object.fromEntries(flags),
  }
}

const HEADER: readonly string[] = ['alg', 'typ', ...HEADER_MEMBERS]

function objectMember(members: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = members[name] ?? {}
  if (isObject(value)) return value
  throw new AdminProblem(400, `\`${name}\` must be an object`)
}

function textOf(header: Record<string, unknown>, name: string): string | undefined {
  const value = header[name]
  if (value === undefined || typeof value === 'string') return value
  throw new AdminProblem(400, `\`header.${name}\` must be text`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
