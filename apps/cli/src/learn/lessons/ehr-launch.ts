import { createCookies } from '../cookies.ts'
import { discover } from '../discover.ts'
import type { LessonPlan } from '../lesson-plan.ts'
import { tokenFacts } from '../tokens.ts'
import {
  authorize,
  enroll,
  exchangeForm,
  LAUNCH_URL,
  takeCode,
  USER_LESSON_SCOPES,
} from '../user-flow.ts'

const SCOPE = 'launch openid fhirUser patient/Patient.rs patient/Observation.rs'

interface LaunchAnswer {
  readonly launch: string
  readonly expires_in: number
  readonly iss: string
  readonly launch_url: string
}

export const ehrLaunch: LessonPlan = {
  name: 'ehr-launch',
  title: 'EHR launch: an app is opened with what the user has open',
  lead: 'The user works in the EHR and opens the app from there. The EHR passes a handle, and the app gets the patient that is open without asking anybody.',
  spec: 'SMART App Launch 2.2 (EHR launch)',
  adminScopes: USER_LESSON_SCOPES,
  hasUser: true,
  async run(room) {
    const { teacher, admin, fhirUrl } = room
    const { patient, user, clientId } = await enroll(room, { scope: SCOPE, launchUrl: LAUNCH_URL })
    const wanted = { client_id: clientId, user: user.id, patient, intent: 'show-results' }
    const made = await admin.call<LaunchAnswer>('POST', '/launches', wanted)
    teacher.hide(made.launch)
    teacher.tell({
      title: 'The EHR asks for a launch',
      why: 'The EHR is a client of the admin API (admin/launches.write). It says which app, for which user, and what is open. The handle it gets says nothing by itself, works once and for minutes.',
      facts: [
        {
          name: 'request',
          value: `POST ${new URL(admin.adminUrl).pathname}/launches`,
        },
        { name: 'body', value: JSON.stringify(wanted, null, 2) },
        { name: 'answer', value: JSON.stringify(made, null, 2) },
      ],
    })
    teacher.tell({
      title: 'The EHR opens the app',
      why: 'The browser opens the address that the app registered, with two parameters: iss, the FHIR endpoint to ask, and launch, the handle. The app must know iss already, or refuse.',
      facts: [{ name: 'address', value: made.launch_url }],
    })
    const server = await discover(room, [
      'authorization_endpoint',
      'token_endpoint',
      'capabilities',
    ])
    const cookies = createCookies()
    const request = { server, clientId, user, patient, scope: SCOPE, launch: made.launch, cookies }
    const authorized = await authorize(room, request)
    const code = takeCode(room, authorized)
    const { json } = await teacher.send({
      title: 'Exchange the code for tokens',
      why: 'Beside the tokens stands the context of this launch: the patient, and whatever else the EHR gave, such as the intent. Nobody was asked for a patient.',
      url: server.token_endpoint,
      headers: { Accept: 'application/json' },
      form: exchangeForm(clientId, code, authorized),
      expect: 200,
    })
    teacher.tell({
      title: 'Look into the access token',
      why: 'The context is in the token as well, so that the FHIR endpoint need ask nobody.',
      facts: tokenFacts(json.access_token),
    })
    await teacher.send({
      title: 'Read with it',
      why: 'The patient of the launch is the one that this token shows.',
      url: `${fhirUrl}/Observation?_summary=count`,
      headers: {
        Authorization: `Bearer ${json.access_token}`,
        Accept: 'application/fhir+json',
      },
      expect: 200,
    })
    const again = await teacher.quietly(() => authorize(room, request))
    teacher.tell({
      title: 'Try the handle once more',
      why: 'The handle was used: whoever finds it in a history or a log opens nothing with it.',
      facts: [...again.answer.searchParams]
        .filter(([name]) => name.startsWith('error'))
        .map(([name, value]) => ({ name, value })),
    })
  },
}
