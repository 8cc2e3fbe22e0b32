import {
  genericIssuer,
  type Issuer,
  keysFromDiscovery,
  keysFromFile,
  keysFromUrl,
  type NetworkPolicy,
  rfc9068Issuer,
} from '@scopegate/token-verify'
import type { ConfiguredIssuer } from './config.ts'

/** An issuer as the configuration names it; its keys by file, by URL, or as its discovery says. */
export function issuerOf(
  { issuer, keysFile, keysUrl, algorithms, typ }: ConfiguredIssuer,
  network: NetworkPolicy,
  nowMs: () => number,
): Issuer {
  const keys = keysFile
    ? keysFromFile(keysFile, { nowMs })
    : keysUrl
      ? keysFromUrl(keysUrl, { network, nowMs })
      : keysFromDiscovery(issuer, { network, nowMs })
  return typ === 'at+jwt'
    ? rfc9068Issuer(issuer, keys, algorithms)
    : genericIssuer(issuer, keys, algorithms)
}
