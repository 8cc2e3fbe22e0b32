import { REDACTED, redact } from './redact.ts'

/** What becomes of a claim: kept (still redacted by shape), told only that it is there, or left out. */
export type ClaimRule = 'keep' | 'presence' | 'drop'

/**
 * Claims that explain a decision stay; claims that name a person only show that they are there.
 * What no rule names is `presence`.
 */
export const CLAIM_RULES: Readonly<Record<string, ClaimRule>> = Object.freeze({
  iss: 'keep',
  aud: 'keep',
  exp: 'keep',
  nbf: 'keep',
  iat: 'keep',
  auth_time: 'keep',
  client_id: 'keep',
  azp: 'keep',
  appid: 'keep',
  cid: 'keep',
  tid: 'keep',
  idtyp: 'keep',
  scope: 'keep',
  scp: 'keep',
  roles: 'keep',
  token_use: 'keep',
  typ: 'keep',
  ver: 'keep',
  acr: 'keep',
  amr: 'keep',
  jti: 'presence',
  sub: 'presence',
  patient: 'presence',
  encounter: 'presence',
  fhirUser: 'presence',
  fhirContext: 'presence',
  cnf: 'presence',
})

/**
 * The claims of a token as a trace may hold them: without patients, users and anything that no
 * rule knows.
 */
export function redactClaims(
  claims: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, ClaimRule>> = CLAIM_RULES,
): Record<string, unknown> {
  const kept = Object.entries(claims).flatMap(([name, value]): [string, unknown][] => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : 'presence'
    if (rule === 'drop') return []
    return [[name, rule === 'keep' ? redact(value) : REDACTED]]
  })
  return Object.fromEntries(kept)
}
