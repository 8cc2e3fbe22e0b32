import { randomUUID } from 'node:crypto'
import { signed } from '../issuer/lab-issuer.ts'
import type { LabKey } from '../issuer/lab-keys.ts'

export interface LabLogoutToken {
  readonly issuer: string
  readonly key: LabKey
  /** Epoch seconds. */
  readonly now: number
  readonly clientId: string
  readonly subject?: string
  readonly sessionId?: string
  /** Set over everything else; `undefined` removes. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** @see OpenID Connect Back-Channel Logout 1.0 §2.4 */
export function mintLabLogoutToken(wish: LabLogoutToken): string {
  const { issuer, key, now, clientId, subject, sessionId } = wish
  const claims = {
    iss: issuer,
    aud: clientId,
    iat: now,
    exp: now + 120,
    jti: randomUUID(),
    events: { [EVENT]: {} },
    sub: subject,
    sid: sessionId,
    ...wish.claims,
  }
  return signed({ typ: 'logout+jwt', alg: key.alg, kid: key.kid, ...wish.header }, claims, key)
}
