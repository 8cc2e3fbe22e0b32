import { randomBytes } from 'node:crypto'
import type { LabSignIn } from '../mint-lab-id-token.ts'
import type { LabGrant } from './access-flavour.ts'

/** How refresh tokens of a lab behave; without any a lab issues none. */
export interface RefreshTokenRules {
  /** A new one each time; the one before is then a thief's, and ends the whole family. */
  readonly rotate?: boolean
  /** Lives that long without use. Default: for ever. */
  readonly idleSeconds?: number
  /** Apps that act for themselves get one, as Keycloak can be told to. */
  readonly forApps?: boolean
}

/** What a refresh token stands for. */
export interface RefreshedGrant {
  readonly grant: LabGrant
  readonly signIn: LabSignIn | undefined
}

export interface RefreshTokens {
  issue(granted: RefreshedGrant): string
  /** @returns what it stands for and the refresh token to go on with, or why it is refused. */
  redeem(
    token: string,
    clientId: string,
  ):
    | (RefreshedGrant & { readonly next: string | undefined })
    | { readonly problem: 'refresh_invalid' | 'refresh_reused' }
  /** Ends the family of a token, or with no token all of them. @returns how many were ended. */
  revoke(token?: string): number
}

interface Family {
  readonly granted: RefreshedGrant
  /** The one that may be used; with rotation every earlier one is known as such. */
  current: string
  readonly used: Set<string>
  usedAt: number
  isDead: boolean
}

/** Refresh tokens with rotation and the detection of reuse. @see RFC 9700 §4.14.2 */
export function createRefreshTokens(rules: RefreshTokenRules, now: () => number): RefreshTokens {
  const families = new Map<string, Family>()
  const make = () => randomBytes(32).toString('base64url')

  return {
    issue(granted) {
      const current = make()
      families.set(current, { granted, current, used: new Set(), usedAt: now(), isDead: false })
      return current
    },

    redeem(token, clientId) {
      const family = families.get(token)
      if (family === undefined || family.isDead) return { problem: 'refresh_invalid' }
      if (family.granted.grant.client.clientId !== clientId) return { problem: 'refresh_invalid' }
      if (family.used.has(token)) {
        family.isDead = true
        return { problem: 'refresh_reused' }
      }
      if (now() - family.usedAt > (rules.idleSeconds ?? Number.POSITIVE_INFINITY)) {
        return { problem: 'refresh_invalid' }
      }
      family.usedAt = now()
      if (rules.rotate !== true) return { ...family.granted, next: undefined }
      family.used.add(token)
      family.current = make()
      families.set(family.current, family)
      return { ...family.granted, next: family.current }
    },

    revoke(token) {
      const found = token === undefined ? families.values() : [families.get(token)]
      let ended = 0
      for (const family of new Set(found)) {
        if (family === undefined || family.isDead) continue
        family.isDead = true
        ended++
      }
      return ended
    },
  }
}
