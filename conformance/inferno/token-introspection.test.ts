import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'
import { decodeJwt } from '../support/smart-app.ts'

// Ported from Inferno's group `smart_token_introspection_stu2_2` (g10 9.20). Its tests below the
// request and response groups have no ids of their own; they are named by their numbers.
const SCOPE = 'launch/patient launch/encounter openid fhirUser offline_access patient/*.rs'

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: SCOPE, as: 'secret' })
const introspector = await server.app({
  scopes: 'system/Patient.rs introspect',
  as: 'secret',
  grants: ['client_credentials'],
})
const launched = await server.launch(app, await server.user(), {
  scope: SCOPE,
  patient: 'patient-1',
})

const introspect = (token: string) =>
  introspector.post(server.configuration.introspection_endpoint, { token })

describe('smart_token_introspection_stu2_2', async () => {
  const active = await introspect(launched.accessToken)
  const invalid = await introspect('invalid_token_value')

  test('9.20.2.01: an active token is answered', () => {
    assert.equal(active.status, 200)
  })

  test('9.20.2.02: so is a token that is none', () => {
    assert.equal(invalid.status, 200)
  })

  test('9.20.3.01: active, client, scopes, times, context and user are those of the token', () => {
    const body = active.json as Record<string, unknown>
    const { token } = launched
    const { claims } = decodeJwt(token.id_token ?? '')
    assert.equal(body.active, true)
    assert.equal(body.client_id, app.clientId)
    assert.deepEqual(
      String(body.scope).split(' ').toSorted(),
      (token.scope ?? '').split(' ').toSorted(),
    )
    assert.ok(Number(body.exp) > Date.now() / 1000)
    assert.equal(body.patient, token.patient)
    assert.equal(body.encounter, token.encounter)
    assert.equal(body.iss, claims.iss)
    assert.equal(body.sub, claims.sub)
    assert.equal(body.fhirUser, claims.fhirUser)
  })

  test('9.20.3.02: of a token that is none nothing but active: false is said', () => {
    assert.deepEqual(invalid.json, { active: false })
  })
})
