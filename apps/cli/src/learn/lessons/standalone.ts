import { discover } from '../discover.ts'
import type { LessonPlan } from '../lesson-plan.ts'
import { tokenFacts } from '../tokens.ts'
import { authorize, enroll, exchangeForm, takeCode, USER_LESSON_SCOPES } from '../user-flow.ts'

const SCOPE = 'launch/patient openid fhirUser patient/Patient.rs patient/Observation.rs'

export const standalone: LessonPlan = {
  name: 'standalone',
  title: 'Standalone launch: an app lets a user sign in',
  lead: 'The user starts the app, and the app asks the server for access to one patient. The lesson plays both the app and the user’s browser; the user is a patient made for it.',
  spec: 'SMART App Launch 2.2 (standalone launch), OAuth 2.1, OpenID Connect Core, RFC 7636, RFC 9207',
  adminScopes: USER_LESSON_SCOPES,
  hasUser: true,
  async run(room) {
    const { teacher, fhirUrl } = room
    const { patient, user, clientId } = await enroll(room, { scope: SCOPE })
    const server = await discover(room, [
      'authorization_endpoint',
      'token_endpoint',
      'code_challenge_methods_supported',
      'capabilities',
    ])
    const authorized = await authorize(room, { server, clientId, user, patient, scope: SCOPE })
    const code = takeCode(room, authorized)
    const { json } = await teacher.send({
      title: 'Exchange the code for tokens',
      why: 'Now the app talks to the server itself. The verifier shows that it is the one who asked: a code that somebody overheard is worth nothing.',
      url: server.token_endpoint,
      headers: { Accept: 'application/json' },
      form: exchangeForm(clientId, code, authorized),
      expect: 200,
    })
    teacher.tell({
      title: 'Look into the access token',
      why: 'The patient beside the tokens tells the app whose record it is; the one in the token binds every patient/ scope to that record.',
      facts: tokenFacts(json.access_token),
    })
    teacher.tell({
      title: 'Look into the ID token',
      why: 'It is for the app, not for the FHIR endpoint: it says who signed in (sub, fhirUser), for which app (aud), and holds the nonce of this attempt.',
      facts: tokenFacts(json.id_token),
    })
    const headers = {
      Authorization: `Bearer ${json.access_token}`,
      Accept: 'application/fhir+json',
    }
    await teacher.send({
      title: 'Read with it',
      why: 'The endpoint counts what the token shows: the Observations of this patient.',
      url: `${fhirUrl}/Observation?_summary=count`,
      headers,
      expect: 200,
    })
    await teacher.send({
      title: 'Try to see other patients',
      why: 'There is one patient for this token. Others are not forbidden, they are not there: no count, link or error tells of them.',
      url: `${fhirUrl}/Patient?_summary=count`,
      headers,
      expect: 200,
    })
    await teacher.send({
      title: 'Try the code once more',
      why: 'A code works once. A second use may mean that it was stolen.',
      url: server.token_endpoint,
      headers: { Accept: 'application/json' },
      form: exchangeForm(clientId, code, authorized),
      expect: 400,
    })
    await teacher.send({
      title: 'Try the access token after that',
      why: 'What the first use of the code gave is taken back: nobody can say which of the two was the thief.',
      url: `${fhirUrl}/Observation?_summary=count`,
      headers,
      expect: 401,
    })
  },
}
