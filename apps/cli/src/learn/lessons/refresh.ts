import { CliError } from '../../cli-error.ts'
import { discover } from '../discover.ts'
import type { LessonPlan } from '../lesson-plan.ts'
import { authorize, enroll, exchangeForm, takeCode, USER_LESSON_SCOPES } from '../user-flow.ts'

const SCOPE = 'launch/patient offline_access patient/Observation.rs'

export const refresh: LessonPlan = {
  name: 'refresh',
  title: 'Refresh: an app keeps access without the user',
  lead: 'Access tokens are short-lived. With offline_access the user allows the app to fetch new ones; the lesson shows how, what is renewed with it, and how it ends.',
  spec: 'SMART App Launch 2.2 (refresh), RFC 6749 §6, RFC 9700 §4.14, RFC 7009',
  adminScopes: USER_LESSON_SCOPES,
  hasUser: true,
  async run(room) {
    const { teacher, fhirUrl } = room
    const { patient, user, clientId } = await enroll(room, {
      scope: SCOPE,
      grants: ['authorization_code', 'refresh_token'],
    })
    const server = await discover(room, [
      'token_endpoint',
      'revocation_endpoint',
      'grant_types_supported',
    ])
    const { revocation_endpoint: revocationEndpoint } = server
    if (revocationEndpoint === undefined) throw new CliError('this server revokes no tokens')
    const [authorized, code] = await teacher.quietly(async () => {
      const answer = await authorize(room, { server, clientId, user, patient, scope: SCOPE })
      return [answer, takeCode(room, answer)] as const
    })
    teacher.tell({
      title: 'The user signs in and allows it',
      why: '`scopegate learn standalone` shows this part. What is new is the scope offline_access, which the consent page says in words: the app keeps access when it is not used.',
      facts: [{ name: 'scope', value: SCOPE }],
    })
    const request = { url: server.token_endpoint, headers: { Accept: 'application/json' } }
    const { json: first } = await teacher.send({
      ...request,
      title: 'Exchange the code for tokens',
      why: 'There is a refresh token now. The app must keep it like a password: it stands for what the user allowed.',
      form: exchangeForm(clientId, code, authorized),
      expect: 200,
    })
    const form = {
      grant_type: 'refresh_token',
      refresh_token: String(first.refresh_token),
      client_id: clientId,
    }
    const { json: second } = await teacher.send({
      ...request,
      title: 'Refresh',
      why: 'A new access token for the same scopes and the same patient: the context comes again. The refresh token is replaced too (rotation), so that a stolen one shows.',
      form,
      expect: 200,
    })
    await teacher.send({
      ...request,
      title: 'Send the old refresh token again, at once',
      why: 'An answer can get lost on the way. For some seconds the server gives the same answer again; later it takes this for theft and ends everything that came of it.',
      form,
      expect: 200,
    })
    const headers = {
      Authorization: `Bearer ${second.access_token}`,
      Accept: 'application/fhir+json',
    }
    await teacher.send({
      title: 'Read with the new access token',
      why: 'It shows what the first one showed: a refresh never gives more.',
      url: `${fhirUrl}/Observation?_summary=count`,
      headers,
      expect: 200,
    })
    await teacher.send({
      title: 'Give it back',
      why: 'An app that is done, or a user who signs out of it, revokes the refresh token. The answer is the same whether it was known or not.',
      url: revocationEndpoint,
      form: {
        token: String(second.refresh_token),
        token_type_hint: 'refresh_token',
        client_id: clientId,
      },
      expect: 200,
    })
    await teacher.send({
      ...request,
      title: 'Try to refresh after that',
      why: 'What was granted has ended: a new token needs the user again.',
      form: { ...form, refresh_token: String(second.refresh_token) },
      expect: 400,
    })
    await teacher.send({
      title: 'Try the access token after that',
      why: 'Its signature and times are still good. The endpoint refuses it all the same, because what it came of was revoked.',
      url: `${fhirUrl}/Observation?_summary=count`,
      headers,
      expect: 401,
    })
  },
}
