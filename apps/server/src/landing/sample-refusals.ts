import {
  type AnyCheck,
  type Check,
  callerView,
  operationOutcome,
  wwwAuthenticate,
} from '@scopegate/checks'
import type { Parts } from '../wire.ts'

/** Requests that are refused on purpose, for people who want to see why. None needs a secret. */
export const SAMPLE_REFUSALS = {
  'no-token': 'a request without a token',
  unsigned: 'a token that nobody signed',
  scope: 'a token for something else',
} as const

export type SampleRefusalName = keyof typeof SAMPLE_REFUSALS

export interface SampleRefusal {
  readonly title: string
  /** As it would be sent, a header per line. */
  readonly request: string
  readonly status: number
  /** What its caller reads. */
  readonly challenge: string | undefined
  readonly body: string
  /** What the operator reads. */
  readonly checks: readonly AnyCheck[]
  /** The request was really made, and is found under this. */
  readonly correlationId?: string
}

export const SAMPLE_SCOPE = 'system/Observation.rs?category=laboratory'

export function isSampleRefusal(name: string | null): name is SampleRefusalName {
  return name !== null && Object.hasOwn(SAMPLE_REFUSALS, name)
}

/** Has this server refuse a request for patients, in process, and tells both sides of it. */
export async function refuseSample(parts: Parts, name: SampleRefusalName): Promise<SampleRefusal> {
  const { fhirEndpoint, fhirUrl } = parts
  const title = SAMPLE_REFUSALS[name]
  const path = `${new URL(fhirUrl).pathname}/Patient`
  if (name === 'scope') {
    const claims = { scope: SAMPLE_SCOPE }
    const { status, checks } = await fhirEndpoint.explain({ method: 'GET', path, claims })
    return {
      title,
      request: `GET ${path}\nAuthorization: Bearer … with scope ${SAMPLE_SCOPE}`,
      status,
      challenge: wwwAuthenticate(checks, { realm: fhirUrl, scope: 'system/Patient.rs' }),
      body: JSON.stringify(operationOutcome(checks as readonly Check[]), null, 2),
      checks,
    }
  }
  const token = name === 'unsigned' ? unsignedToken(parts) : undefined
  const answer = await fhirEndpoint.fetch(
    new Request(`${fhirUrl}/Patient`, {
      headers: {
        accept: 'application/fhir+json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    }),
  )
  const { checks } = await fhirEndpoint.explain({
    method: 'GET',
    path,
    ...(token !== undefined && { token }),
  })
  const correlationId = answer.headers.get('x-request-id') ?? undefined
  return {
    title,
    request: `GET ${path}${token === undefined ? '' : `\nAuthorization: Bearer ${token}`}`,
    status: answer.status,
    challenge: answer.headers.get('www-authenticate') ?? undefined,
    body: prettyJson(await answer.text()),
    checks,
    ...(correlationId !== undefined && { correlationId }),
  }
}

/** Whoever knows the addresses could write it. */
function unsignedToken({ authorizationServer: { issuer }, fhirUrl }: Parts): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'none' })}.${encode({ iss: issuer, aud: fhirUrl, scope: 'system/*.rs' })}.`
}

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** What would have to be done about it. */
export function fixOf({ checks }: SampleRefusal): string | undefined {
  return callerView(checks)?.fix
}
