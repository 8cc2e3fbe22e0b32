import { type Issuer, type NetworkPolicy, resolveIssuer } from '@scopegate/token-verify'
import type { ConfiguredIssuer } from './config/configured-issuer.ts'
import { issuerSettings } from './config/issuer-settings.ts'
import { Secret } from './config/secret.ts'

/** An issuer as the configuration names it; here its secrets are revealed. */
export function issuerOf(
  issuer: ConfiguredIssuer,
  network: NetworkPolicy,
  nowMs: () => number,
): Issuer {
  const reveal = (secret: unknown) => (secret instanceof Secret ? secret.reveal() : '')
  return resolveIssuer(issuerSettings(issuer, reveal), { network, nowMs })
}
