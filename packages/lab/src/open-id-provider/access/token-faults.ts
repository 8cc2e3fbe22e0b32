import type { LabGrant } from './access-flavour.ts'

/** Ways in which an access token of the lab can be wrong, so that an API shows that it notices. */
export const LAB_TOKEN_FAULTS = {
  'wrong-audience': 'it is for another API',
  'without-audience': 'it names no audience',
  expired: 'it ended an hour ago',
  'not-yet-valid': 'it begins in an hour',
  'other-tenant': 'it is of another tenant, signed with the same keys',
  'other-issuer': 'it names an issuer that is not this one',
  'alg-none': '`alg` none and no signature',
  'hs256-with-public-key': 'HS256 with the public key as the secret',
  forged: 'signed with another key under the right `kid`',
  'unknown-key': 'signed with a key that the key set lacks',
  tampered: 'another `sub`, written in after signing',
} as const

export type LabTokenFault = keyof typeof LAB_TOKEN_FAULTS

export const OTHER_TENANT = '99999999-8888-4777-8666-555555555555'

/** The claims with what `faults` ask for. */
export function changeWrongly(
  claims: Record<string, unknown>,
  { now, tenant }: LabGrant,
  faults: ReadonlySet<LabTokenFault>,
): Record<string, unknown> {
  const changed = { ...claims }
  if (faults.has('wrong-audience')) changed.aud = 'https://other-api.example'
  if (faults.has('without-audience')) delete changed.aud
  if (faults.has('expired')) {
    for (const name of ['iat', 'nbf']) if (name in changed) changed[name] = now - 7200
    changed.exp = now - 3600
  }
  if (faults.has('not-yet-valid')) changed.nbf = now + 3600
  if (faults.has('other-tenant')) {
    // A provider with tenants has the same keys for all of them: only these claims differ.
    changed.iss = moved(String(claims.iss), tenant)
    if ('tid' in claims) changed.tid = OTHER_TENANT
  }
  if (faults.has('other-issuer')) changed.iss = 'https://issuer.invalid'
  return changed
}

function moved(issuer: string, tenant: string): string {
  if (issuer.includes(tenant)) return issuer.replace(tenant, OTHER_TENANT)
  const url = new URL(issuer)
  url.pathname = url.pathname === '/' ? '/other' : url.pathname.replace(/[^/]+(\/?)$/, 'other$1')
  return url.href
}
