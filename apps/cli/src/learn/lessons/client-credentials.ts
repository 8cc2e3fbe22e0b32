import { discover } from '../discover.ts'
import type { LessonPlan } from '../lesson-plan.ts'
import { tokenFacts } from '../tokens.ts'

const SCOPE = 'system/Observation.rs?category=laboratory'

export const clientCredentials: LessonPlan = {
  name: 'client-credentials',
  title: 'Client credentials: a program gets access of its own',
  lead: 'No user takes part. The program proves itself with a secret, gets a token for what it is registered for, and the FHIR endpoint lets it see exactly that.',
  spec: 'RFC 6749 §4.4, SMART App Launch 2.2 (scopes)',
  adminScopes: 'admin/clients.read admin/clients.write admin/status.read',
  hasUser: false,
  async run({ teacher, temporaries, fhirUrl }) {
    const { clientId, clientSecret = '' } = await temporaries.addClient({
      grants: ['client_credentials'],
      scopes: SCOPE,
    })
    teacher.hide(clientSecret)
    const { token_endpoint: tokenEndpoint } = await discover({ teacher, fhirUrl }, [
      'token_endpoint',
      'grant_types_supported',
      'token_endpoint_auth_methods_supported',
    ])
    const basic = Buffer.from(
      `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`,
    ).toString('base64')
    const { json } = await teacher.send({
      title: 'Ask for a token',
      why: 'The secret goes in the Authorization header, never in a URL. The scope says what the token is for: to read and search Observations, of the category laboratory only.',
      url: tokenEndpoint,
      headers: { Authorization: `Basic ${basic}`, Accept: 'application/json' },
      form: { grant_type: 'client_credentials', scope: SCOPE },
      expect: 200,
    })
    const token: string = json.access_token
    teacher.tell({
      title: 'Look into the token',
      why: 'To the app a token is a text to pass on. To the FHIR endpoint it is a signed statement: who asks, for which endpoint (aud), what is permitted, until when.',
      facts: tokenFacts(token),
    })
    const authorization = { Authorization: `Bearer ${token}`, Accept: 'application/fhir+json' }
    await teacher.send({
      title: 'Count what the token shows',
      why: 'The endpoint filters: the total counts laboratory results, as if there were no other Observations.',
      url: `${fhirUrl}/Observation?_summary=count`,
      headers: authorization,
      expect: 200,
    })
    await teacher.send({
      title: 'Ask for something that the scope does not cover',
      why: 'A type that no scope names is refused, not answered with nothing. The WWW-Authenticate header names a scope that would be enough, and the body says why in words.',
      url: `${fhirUrl}/Patient`,
      headers: authorization,
      expect: 403,
    })
    await teacher.send({
      title: 'Ask without a token',
      why: 'A request without a token gets a challenge without an error code: nothing is wrong with a token that was not sent.',
      url: `${fhirUrl}/Observation?_summary=count`,
      headers: { Accept: 'application/fhir+json' },
      expect: 401,
    })
  },
}
