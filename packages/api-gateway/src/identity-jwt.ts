import type { Api } from './api.ts'
import type { ApiCaller } from './api-caller.ts'

export type SignJwt = (claims: Readonly<Record<string, unknown>>, typ: string) => Promise<string>

/** Nothing that takes access or ID tokens takes this for one. @see RFC 8725 §3.11 */
export const IDENTITY_JWT_TYPE = 'scopegate-identity+jwt'

/**
 * The signed word of this server on who calls, for the upstream. Made again when half of its life
 * is over; it never lives longer than the credentials that it stands for.
 */
export async function identityJwtOf(
  caller: ApiCaller,
  api: Api,
  deps: { readonly issuer: string; readonly signJwt: SignJwt; readonly now: number },
): Promise<string> {
  const { jwt } = api.forward
  if (jwt === undefined) throw new Error(`${api.name} passes no JWT on`)
  const { now } = deps
  if (caller.identityJwt !== undefined && caller.identityJwt.goodUntil > now) {
    return caller.identityJwt.text
  }
  const expiresAt = Math.min(now + jwt.seconds, caller.expiresAt ?? Number.POSITIVE_INFINITY)
  const text = await deps.signJwt(
    {
      iss: deps.issuer,
      aud: jwt.audience,
      sub: caller.subject,
      // The subject is only one's own among those of its issuer.
      sub_iss: caller.issuer,
      username: caller.username,
      ...(caller.clientId === undefined ? {} : { client_id: caller.clientId }),
      scope: [...caller.scopes].join(' '),
      roles: [...caller.roles],
      iat: now,
      exp: expiresAt,
    },
    IDENTITY_JWT_TYPE,
  )
  caller.identityJwt = { text, goodUntil: now + Math.floor((expiresAt - now) / 2) }
  return text
}
