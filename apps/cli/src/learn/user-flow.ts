import { createHash, randomBytes } from 'node:crypto'
import { CliError } from '../cli-error.ts'
import { createCookies } from './cookies.ts'
import { authorizationEndpoint, type Discovered } from './discover.ts'
import type { Classroom } from './lesson-plan.ts'
import type { TemporaryUser } from './temporaries.ts'
import { walkPages } from './walk-pages.ts'

/** Never visited: the lesson stops where the browser would open it. */
export const REDIRECT_URI = 'https://app.example/callback'
export const LAUNCH_URL = 'https://app.example/launch'

/** What the server needs of the admin API for a lesson with a user. */
export const USER_LESSON_SCOPES =
  'admin/clients.read admin/clients.write admin/users.read admin/users.write admin/launches.write admin/status.read'

export interface AppRequest {
  readonly server: Discovered
  readonly clientId: string
  readonly user: TemporaryUser
  readonly patient: string
  readonly scope: string
  /** Of an EHR launch. */
  readonly launch?: string
  readonly cookies?: ReturnType<typeof createCookies>
}

export interface Authorized {
  /** Back at the app: with `code`, or `error`. */
  readonly answer: URL
  readonly verifier: string
}

/** Who takes part, for as long as the lesson lasts: a patient, a user who is one, and an app. */
export async function enroll(
  room: Classroom,
  app: {
    readonly scope: string
    readonly grants?: readonly string[]
    /** Of an app that an EHR opens. */
    readonly launchUrl?: string
  },
): Promise<{ readonly patient: string; readonly user: TemporaryUser; readonly clientId: string }> {
  const { teacher, temporaries } = room
  const patient = await findPatient(room)
  const user = await temporaries.addUser(`Patient/${patient}`)
  teacher.hide(user.password)
  const { clientId } = await temporaries.addClient({
    grants: app.grants ?? ['authorization_code'],
    public: true,
    redirect_uris: [REDIRECT_URI],
    ...(app.launchUrl !== undefined && { launch_url: app.launchUrl }),
    scopes: app.scope,
  })
  return { patient, user, clientId }
}

/** From PKCE to the answer at the app, with the pages in between. */
export async function authorize(room: Classroom, request: AppRequest): Promise<Authorized> {
  const { teacher, fhirUrl } = room
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const state = randomBytes(9).toString('base64url')
  const nonce = randomBytes(9).toString('base64url')
  teacher.hide(verifier)
  teacher.tell({
    title: 'Make the values of this one attempt',
    why: 'The verifier proves later that who exchanges the code is who asked for it (PKCE); state ties the answer to this browser, nonce the ID token to this sign-in.',
    facts: [
      { name: 'code_verifier', value: verifier },
      { name: 'code_challenge', value: `${challenge}  (base64url of its SHA-256)` },
      { name: 'state', value: state },
      { name: 'nonce', value: nonce },
    ],
  })
  const url = new URL(authorizationEndpoint(request.server))
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: request.clientId,
    redirect_uri: REDIRECT_URI,
    scope: request.scope,
    state,
    ...(request.scope.includes('openid') && { nonce }),
    aud: fhirUrl,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...(request.launch !== undefined && { launch: request.launch }),
  }).toString()
  const { user, patient, cookies = createCookies() } = request
  const answer = await walkPages({
    ...{ teacher, cookies, user, patient },
    url: url.href,
    redirectUri: REDIRECT_URI,
  })
  if (answer.searchParams.get('state') !== state) throw new CliError('the answer has another state')
  return { answer, verifier }
}

/** The code, as the app takes it from its own address. @throws {CliError} with the error instead */
export function takeCode({ teacher }: Classroom, { answer }: Authorized): string {
  const { searchParams } = answer
  const code = searchParams.get('code')
  if (code === null) {
    throw new CliError(`the lesson cannot go on: ${searchParams.get('error')}`, {
      where: 'the answer at the app',
      why: searchParams.get('error_description') ?? undefined,
    })
  }
  teacher.tell({
    title: 'Back at the app',
    why: 'The app compares state with its own, and iss with the server it asked: an answer of another server would be refused. The code works once, for a minute.',
    facts: [
      { name: 'address', value: `${answer.origin}${answer.pathname}` },
      ...[...searchParams].map(([name, value]) => ({ name, value })),
    ],
  })
  return code
}

/** The token request of a public client. */
export function exchangeForm(clientId: string, code: string, { verifier }: Authorized) {
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    client_id: clientId,
    code_verifier: verifier,
  }
}

/** A patient to be: the one that was asked for, else any. @throws {CliError} when there is none */
async function findPatient(room: Classroom): Promise<string> {
  const { teacher, temporaries, fhirUrl, admin, patient } = room
  if (patient !== undefined) return patient
  return teacher.quietly(async () => {
    const scope = 'system/Patient.s'
    const reader = await temporaries.addClient({ grants: ['client_credentials'], scopes: scope })
    const { json: token } = await teacher.send({
      title: '',
      why: '',
      url: admin.tokenUrl,
      form: {
        grant_type: 'client_credentials',
        scope,
        client_id: reader.clientId,
        client_secret: reader.clientSecret ?? '',
      },
      expect: 200,
    })
    const { json: found } = await teacher.send({
      title: '',
      why: '',
      url: `${fhirUrl}/Patient?_count=1&_elements=id`,
      headers: { Authorization: `Bearer ${token.access_token}` },
      expect: 200,
    })
    const id: unknown = found.entry?.[0]?.resource?.id
    if (typeof id === 'string') return id
    throw new CliError('the lesson needs a patient, and the server has none', {
      fix: 'import some, or start a server with sample data: scopegate up --data ./trial',
    })
  })
}
