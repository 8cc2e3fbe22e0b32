import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import { ConnectionSignInRefused } from '../connection-ports.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'
import { findConnection } from './find-connection.ts'

/** Begins a sign-in of a user for the connection. */
export async function beginSignIn(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  refuseUnknown(members, ['redirect_uri', 'device'])
  const { connections, view } = await findConnection(call)
  if (!view.canSignIn) {
    throw new AdminProblem(
      409,
      `nobody signs in for connection \`${view.name}\`: its grant is \`${view.grant}\``,
      'set `grant: authorization_code` or `grant: device_code`',
    )
  }
  const signIns = offered(connections.signIns, 'sign-in for connections')
  const how =
    members.device === true
      ? ({ kind: 'device' } as const)
      : ({ kind: 'code', redirectUri: textMember(members, 'redirect_uri') } as const)
  const begun = await refusals(() => signIns.begin(view.name, how))
  const { id, expiresInSeconds } = begun
  const answer =
    begun.kind === 'code'
      ? { authorization_url: begun.authorizationUrl }
      : {
          user_code: begun.userCode,
          verification_uri: begun.verificationUri,
          ...(begun.verificationUriComplete !== undefined && {
            verification_uri_complete: begun.verificationUriComplete,
          }),
          interval: begun.intervalSeconds,
        }
  return answerJson({ sign_in: id, ...answer, expires_in: expiresInSeconds }, 201, {
    target: `connection/${view.name}`,
    detail: { by: begun.kind },
  })
}

/** Ends a sign-in, or tells that the user is not ready yet (202). */
export async function completeSignIn(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  const parameters = Object.fromEntries(
    Object.keys(members).map((name) => [name, textMember(members, name)]),
  )
  const { connections, view } = await findConnection(call)
  const signIns = offered(connections.signIns, 'sign-in for connections')
  const { signIn: id = '' } = call.params
  const ended = await refusals(() => signIns.complete(view.name, id, parameters))
  const note = { target: `connection/${view.name}`, detail: { outcome: ended.outcome } }
  if (ended.outcome === 'pending') {
    return answerJson({ status: 'pending', interval: ended.intervalSeconds }, 202, note)
  }
  return answerJson(
    {
      status: 'done',
      ...(ended.subject !== undefined && { subject: ended.subject }),
      scope: ended.scopes.join(' '),
    },
    200,
    note,
  )
}

async function refusals<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ConnectionSignInRefused)) throw error
    throw new AdminProblem(409, error.message, error.fix, {}, { code: error.code })
  }
}
