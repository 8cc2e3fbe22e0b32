import type { AuthorizationServerDeps } from '@scopegate/authorization-server'
import { isLoopback } from '@scopegate/http'
import { createTokenVerifier } from '@scopegate/token-verify'
import type { Config } from '../config.ts'
import { issuerOf } from '../configured-issuer.ts'

/** What the authorization server needs to exchange tokens; nothing where no policy allows it. */
export function wireTokenExchange(
  { settings, issuers, url }: Config,
  fhirUrl: string,
  nowMs: () => number,
): AuthorizationServerDeps['tokenExchange'] {
  const { tokenExchange: policies, tokens, fhir } = settings
  if (policies.length === 0) return undefined
  const network = {
    allowLoopback: isLoopback(new URL(url).hostname),
    allowPrivateHosts: 'any',
  } as const
  return {
    policies: policies.map(({ issuer, clients, scopes }) => ({
      ...{ issuer, clients },
      ...(scopes !== undefined && { scopes }),
    })),
    audiences: [
      ...[url, fhirUrl],
      ...fhir.r4.audiences,
      ...policies.flatMap(({ audiences }) => audiences),
    ],
    verifier: createTokenVerifier({
      issuers: issuers
        .filter(({ issuer }) => policies.some((policy) => policy.issuer === issuer))
        .map((issuer) => issuerOf(issuer, network, nowMs)),
      clockToleranceSeconds: tokens.clockToleranceSeconds,
      now: () => Math.floor(nowMs() / 1000),
    }),
  }
}
