import { generateKeyPairSync } from 'node:crypto'
import { makeAssertion } from '../client-assertion.ts'
import { discover } from '../discover.ts'
import type { LessonPlan } from '../lesson-plan.ts'
import { tokenFacts } from '../tokens.ts'

const SCOPE = 'system/Patient.rs system/Observation.rs'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export const backendServices: LessonPlan = {
  name: 'backend-services',
  title: 'SMART Backend Services: a program proves itself with a key',
  lead: 'As with client credentials no user takes part, but no secret is shared either: the server knows the public key, and the program signs a statement for each request.',
  spec: 'SMART App Launch 2.2 (Backend Services, private_key_jwt), RFC 7523',
  adminScopes: 'admin/clients.read admin/clients.write admin/status.read',
  hasUser: false,
  async run({ teacher, temporaries, fhirUrl }) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const kid = 'lesson-key'
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES384', use: 'sig' }
    const { clientId } = await temporaries.addClient({
      grants: ['client_credentials'],
      scopes: SCOPE,
      jwks: { keys: [jwk] },
    })
    teacher.tell({
      title: 'Make a key pair, and register the public key',
      why: 'The private key never leaves the program. The server gets the public one, as here, or the address of a key set that the program may change by itself (jwks_uri).',
      facts: [
        { name: 'client_id', value: clientId },
        { name: 'public key', value: JSON.stringify(jwk, null, 2) },
      ],
    })
    const { token_endpoint: tokenEndpoint } = await discover({ teacher, fhirUrl }, [
      'token_endpoint',
      'token_endpoint_auth_methods_supported',
      'token_endpoint_auth_signing_alg_values_supported',
    ])
    const assertion = makeAssertion({ privateKey, kid, clientId, tokenEndpoint })
    teacher.tell({
      title: 'Sign an assertion',
      why: 'It says who the program is (iss and sub), for which token endpoint (aud), for how long (at most five minutes), and it has an id (jti) because it works once.',
      facts: [
        { name: 'header', value: JSON.stringify(assertion.header) },
        { name: 'claims', value: JSON.stringify(assertion.claims, null, 2) },
      ],
    })
    const request = {
      url: tokenEndpoint,
      headers: { Accept: 'application/json' },
      form: {
        grant_type: 'client_credentials',
        scope: SCOPE,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion.text,
      },
    }
    const { json } = await teacher.send({
      ...request,
      title: 'Ask for a token with the assertion',
      why: 'The server finds the one key with this kid, checks the signature, the times and that the id is new. There is no secret that a log or a proxy could keep.',
      expect: 200,
    })
    const token: string = json.access_token
    teacher.tell({
      title: 'Look into the token',
      why: 'It is bound to this FHIR endpoint (aud) and lives five minutes: a program can always ask for the next one, so there is no refresh token.',
      facts: tokenFacts(token),
    })
    await teacher.send({
      title: 'Use it',
      why: 'system/ scopes reach all patients. What the program may see is limited by its registration, not by a user.',
      url: `${fhirUrl}/Patient?_summary=count`,
      headers: { Authorization: `Bearer ${token}`, Accept: 'application/fhir+json' },
      expect: 200,
    })
    await teacher.send({
      ...request,
      title: 'Send the same assertion once more',
      why: 'Whoever overheard the first request gains nothing: the id was used, on all machines of the server at once.',
      expect: 401,
    })
  },
}
