import type { ClaimTemplate, HeaderMember, SignatureAlgorithm } from '@scopegate/keys'

/** A grant as it is written: one text where a list may stand. */
export interface WrittenGrant {
  readonly issuer?: string | undefined
  readonly subject?: string | readonly string[] | undefined
  readonly audience: string | readonly string[]
  readonly maxSeconds: number
  readonly claims?: Readonly<Record<string, 'any' | readonly unknown[]>> | undefined
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined
  readonly types?: readonly string[] | undefined
  readonly headers?: readonly HeaderMember[] | undefined
}

/** What a grant of the configuration allows. */
export function templateOf(written: WrittenGrant): ClaimTemplate {
  const { issuer, subject, audience, maxSeconds, claims, algorithms, types, headers } = written
  return {
    ...(issuer !== undefined && { issuer }),
    ...(subject !== undefined && { subjects: listOf(subject) }),
    audiences: listOf(audience),
    maxSeconds,
    ...(claims && { claims }),
    ...(algorithms && { algorithms }),
    ...(types && { types }),
    ...(headers && { headers }),
  }
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}
