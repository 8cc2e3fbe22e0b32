import type { AdminCall } from '../call.ts'
import type { UserView } from '../ports.ts'

/** What an operator should know of a user that was added or changed, though it is no error. */
export interface UserNote {
  readonly code: string
  readonly what: string
  readonly fix: string
}

const TOLD: Readonly<Record<string, { readonly what: string; readonly fix: string }>> = {
  user_policy_none: {
    what: 'finds no patient at sign-in: `user/` scopes of professionals grant nothing here',
    fix: 'set `fhir.r4.userPolicy: all` in scopegate.yaml if they may see every patient; EHR launches bring their patient along without it',
  },
  user_context_invalid: {
    what: 'finds no patient at sign-in: the fhirUser is of another server',
    fix: 'write it relative, such as `Practitioner/1`, if this server has the resource',
  },
}

/**
 * Asks the FHIR endpoint what a token of the user would find: somebody who is a Practitioner finds
 * nobody until `fhir.r4.userPolicy` says so, which else is noticed at the first launch.
 */
export async function notesOn(
  { explainer, addresses }: AdminCall['deps'],
  { username, fhirUser }: UserView,
): Promise<readonly UserNote[]> {
  if (fhirUser === undefined) return []
  // The user is made by now: nothing that fails here may swallow the one-time password.
  const explained = await explainer
    .explain({
      method: 'GET',
      path: `${new URL(addresses.fhir).pathname}/Patient`,
      claims: { scope: 'user/Patient.rs', fhirUser },
    })
    .catch(() => undefined)
  const failed = explained?.checks.find(({ outcome }) => outcome === 'fail')
  const told = failed?.code === undefined ? undefined : TOLD[failed.code]
  if (failed?.code === undefined || told === undefined) return []
  return [{ code: failed.code, what: `${username} ${told.what}`, fix: told.fix }]
}
