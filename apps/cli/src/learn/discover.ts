import { CliError } from '../cli-error.ts'
import type { Classroom } from './lesson-plan.ts'

/** What an app learns of a server from the address of its FHIR endpoint. */
export interface Discovered {
  readonly issuer?: string
  readonly authorization_endpoint?: string
  readonly token_endpoint: string
  readonly revocation_endpoint?: string
  readonly introspection_endpoint?: string
}

/** The first step of every flow. */
export async function discover(
  { teacher, fhirUrl }: Pick<Classroom, 'teacher' | 'fhirUrl'>,
  show: readonly string[],
): Promise<Discovered> {
  const { json } = await teacher.send({
    title: 'Find out where tokens come from',
    why: 'An app is configured with one address, that of the FHIR endpoint. This document names everything else, so that nothing has to be guessed or configured twice.',
    url: `${fhirUrl}/.well-known/smart-configuration`,
    headers: { Accept: 'application/json' },
    expect: 200,
    show,
  })
  return json
}

/** The endpoint where users sign in. @throws {CliError} where there is none */
export function authorizationEndpoint({ authorization_endpoint: endpoint }: Discovered): string {
  if (endpoint !== undefined) return endpoint
  throw new CliError('this server lets no user sign in', {
    why: 'its smart-configuration has no authorization_endpoint',
    fix: 'learn client-credentials or backend-services, which need no user',
  })
}
