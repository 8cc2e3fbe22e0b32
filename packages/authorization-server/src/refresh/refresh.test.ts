import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { exchange, launch } from '../testing/launch-app.ts'
import { claimsOf, type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

type Tokens = { refresh_token: string; access_token: string; scope: string }

async function launched(scope?: string, patient = 'p1'): Promise<Tokens> {
  at.signIn.decision = { context: { patient } }
  const { body } = await launch(at, app, scope === undefined ? {} : { scope })
  assert.ok(body.refresh_token, JSON.stringify(body))
  return body
}

const refresh = (refresh_token: string, more: Record<string, string> = {}, address = at.address) =>
  exchange(address, { grant_type: 'refresh_token', refresh_token, client_id: app, ...more })

/** Makes what happened look as if it was longer ago than the grace window. */
async function leaveGraceWindow() {
  await storage.pool.query(
    `UPDATE engine_model SET consumed_at = consumed_at - interval '11 s' WHERE consumed_at IS NOT NULL`,
  )
  await storage.pool.query(`UPDATE refresh_answer SET expires_at = now()`)
}

describe('a refresh', () => {
  test('gives new tokens with the same scope and context, and another refresh token', async () => {
    const tokens = await launched()
    const { status, body, headers } = await refresh(tokens.refresh_token)
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body.scope, tokens.scope)
    assert.equal(body.patient, 'p1')
    assert.equal(claimsOf(body.access_token).patient, 'p1')
    assert.equal(body.expires_in, 3600)
    assert.notEqual(body.refresh_token, tokens.refresh_token)
    assert.notEqual(body.access_token, tokens.access_token)
    assert.ok(body.id_token)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('pragma'), 'no-cache')
  })

  test('of a public app that leaves its client_id out works, of any other does not', async () => {
    const { refresh_token } = await launched()
    const { status, body } = await exchange(at.address, {
      grant_type: 'refresh_token',
      refresh_token,
    })
    assert.equal(status, 200, JSON.stringify(body))

    const { id, secret } = await at.addApp({ public: false })
    const credentials = { client_id: id, client_secret: secret }
    const { body: tokens } = await launch(at, id, {}, credentials)
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
    assert.ok((await exchange(at.address, form)).status >= 400)
    assert.equal((await exchange(at.address, { ...form, client_id: id })).status, 401)
    assert.equal((await exchange(at.address, { ...form, ...credentials })).status, 200)
  })

  test('that is repeated within a moment gets the same answer; later it ends the grant', async () => {
    const tokens = await launched()
    const first = await refresh(tokens.refresh_token)
    const again = await refresh(tokens.refresh_token)
    assert.equal(again.status, 200)
    assert.deepEqual(again.body, first.body)
    const next = await refresh(first.body.refresh_token)
    assert.equal(next.status, 200, 'the family lives')

    await leaveGraceWindow()
    at.refusals.length = 0
    const late = await refresh(tokens.refresh_token)
    assert.equal(late.body.error, 'invalid_grant')
    assert.equal(at.refusals[0]?.code, 'refresh_token_reused')
    const after = await refresh(next.body.refresh_token)
    assert.equal(after.body.error, 'invalid_grant', 'and the newest token with it')
  })

  test('by another client within the grace window is refused, and the family lives', async () => {
    const other = (await at.addApp()).id
    const tokens = await launched()
    const first = await refresh(tokens.refresh_token)
    const stolen = await refresh(tokens.refresh_token, { client_id: other })
    assert.equal(stolen.body.error, 'invalid_grant')
    assert.equal((await refresh(first.body.refresh_token)).status, 200)
  })

  test('may ask for a part of what was granted, judged on what it means', async () => {
    const tokens = await launched(
      'launch/patient patient/Observation.rs patient/Condition.read offline_access',
    )
    let { refresh_token } = tokens
    for (const scope of [
      'patient/Observation.rs',
      'patient/Observation.r',
      'patient/Observation.rs?category=laboratory offline_access',
      'patient/Condition.r',
    ]) {
      const { status, body } = await refresh(refresh_token, { scope })
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.scope, scope)
      assert.equal(claimsOf(body.access_token).scope, scope)
      refresh_token = body.refresh_token
    }
    for (const scope of [
      'patient/Observation.cruds',
      'patient/Patient.rs',
      'user/Observation.rs',
      'openid',
      'patient/Observation.xyz',
    ]) {
      const { body } = await refresh(refresh_token, { scope })
      assert.equal(body.error, 'invalid_scope', scope)
    }
    const whole = await refresh(refresh_token)
    assert.equal(whole.status, 200, 'what was refused did not use the token up')
    assert.equal(whole.body.scope, tokens.scope, 'and a part for once is not a part for ever')
  })

  test('never gives what the client is no longer registered for', async () => {
    const { id } = await at.addApp({ scopes: 'patient/*.rs offline_access launch/patient' })
    at.signIn.decision = { context: { patient: 'p1' } }
    const scope = 'patient/Observation.rs patient/Condition.rs offline_access'
    const { body } = await launch(at, id, { scope })
    await at.server.clients.update(id, { scopes: 'patient/Condition.rs offline_access' })
    const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token, client_id: id }
    const refreshed = await exchange(at.address, form)
    assert.equal(refreshed.body.scope, 'patient/Condition.rs offline_access')
  })

  test('with `online_access` ends with the session, with `offline_access` it does not', async () => {
    const online = await launched('launch/patient patient/Observation.rs online_access')
    const offline = await launched()
    const first = await refresh(online.refresh_token)
    assert.equal(first.status, 200)
    assert.match(first.body.scope, /online_access/)
    at.signIn.alive.clear()
    at.refusals.length = 0
    const over = await refresh(first.body.refresh_token)
    assert.equal(over.body.error, 'invalid_grant')
    assert.equal(at.refusals[0]?.code, 'session_over')
    assert.equal((await refresh(offline.refresh_token)).status, 200)
  })

  test('ends when the user, the client or the grant does', async () => {
    const tokens = await launched()
    const carla = at.signIn.people.get('u_carla')!
    at.signIn.people.set('u_carla', { ...carla, disabled: true })
    assert.equal((await refresh(tokens.refresh_token)).body.error, 'invalid_grant')
    at.signIn.people.set('u_carla', carla)

    await at.server.clients.setDisabled(app, true)
    assert.equal((await refresh(tokens.refresh_token)).body.error, 'invalid_client')
    await at.server.clients.setDisabled(app, false)
    const again = await refresh(tokens.refresh_token)
    assert.equal(again.status, 200, 'none of it used the token up')

    at.signIn.people.set('u_carla', { ...carla, fhirUser: 'Practitioner/other' })
    const other = await refresh(again.body.refresh_token)
    assert.equal(other.body.error, 'invalid_grant', 'the launch was judged by who the user was')
    at.signIn.people.set('u_carla', { ...carla, fhirUser: `${at.fhir}/${carla.fhirUser}` })
    const spelled = await refresh(again.body.refresh_token)
    assert.equal(spelled.status, 200, 'the same person, spelled otherwise')
    at.signIn.people.set('u_carla', carla)

    const [grant] = await at.server.grants.listOf('u_carla')
    assert.ok(await at.server.grants.revoke(grant!.grantId, 'user'))
    const { body } = await refresh(spelled.body.refresh_token)
    assert.equal(body.error, 'invalid_grant')
  })

  test('of two launches with two patients never mixes them, in any order', async () => {
    const one = await launched(undefined, 'patient-1')
    const two = await launched(undefined, 'patient-2')
    const tokens = { 'patient-1': one.refresh_token, 'patient-2': two.refresh_token }
    for (const patient of ['patient-2', 'patient-1', 'patient-1', 'patient-2'] as const) {
      const { body } = await refresh(tokens[patient])
      assert.equal(body.patient, patient)
      assert.equal(claimsOf(body.access_token).patient, patient)
      tokens[patient] = body.refresh_token
    }
  })
})

describe('many at once', () => {
  test('redeem one code: exactly one wins, on two servers, every time', async () => {
    const second = await startSecond()
    for (let round = 0; round < 5; round++) await redeemAtOnce(second)
    second.close()
  })

  async function redeemAtOnce(second: StartedApps) {
    at.signIn.decision = { context: { patient: 'p1' } }
    const { authorizationOf, authorize, REDIRECT_URI } = await import('../testing/launch-app.ts')
    const request = authorizationOf(at, app)
    const { answer } = await authorize(at, request)
    const form = {
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.verifier,
      client_id: app,
    }
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        exchange(index % 2 === 0 ? at.address : second.address, form),
      ),
    )
    const won = answers.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    const { grant_id } = claimsOf(won[0]?.body.access_token)
    const { rows } = await storage.pool.query(
      `SELECT 1 FROM revocation WHERE kind = 'grant' AND key = $1`,
      [grant_id],
    )
    assert.equal(rows.length, 1, 'and what it got has ended, since the code came again')
    const late = await refresh(won[0]?.body.refresh_token)
    assert.equal(late.body.error, 'invalid_grant')
    assert.ok(answers.every(({ status, body }) => status === 200 || body.error === 'invalid_grant'))
  }

  test('use one refresh token: one wins, and all get its answer', async () => {
    const second = await startSecond()
    const tokens = await launched()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        refresh(tokens.refresh_token, {}, index % 2 === 0 ? at.address : second.address),
      ),
    )
    for (const { status, body } of answers) assert.equal(status, 200, JSON.stringify(body))
    const given = new Set(answers.map(({ body }) => body.refresh_token))
    assert.equal(given.size, 1, 'one new refresh token')
    assert.equal(new Set(answers.map(({ body }) => body.access_token)).size, 1)
    assert.equal((await refresh([...given][0])).status, 200)
    second.close()
  })

  test('without a grace window one wins, the others lose, and the grant ends', async () => {
    const strict = await startSecond({ refreshGraceSeconds: 0 })
    const tokens = await launched()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => refresh(tokens.refresh_token, {}, strict.address)),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    strict.close()
  })

  test('serve one flow alternately', async () => {
    const second = await startSecond()
    at.signIn.decision = { context: { patient: 'p1' } }
    const { authorizationOf, authorize, REDIRECT_URI } = await import('../testing/launch-app.ts')
    const request = authorizationOf(at, app)
    const hosts = [at.address, second.address]
    const { answer, url } = await authorize(at, request, { hosts })
    assert.ok(answer.get('code'), url)
    const { status, body } = await exchange(second.address, {
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.verifier,
      client_id: app,
    })
    assert.equal(status, 200, JSON.stringify(body))
    const refreshed = await refresh(body.refresh_token)
    assert.equal(refreshed.status, 200)
    assert.equal((await refresh(refreshed.body.refresh_token, {}, second.address)).status, 200)
    second.close()
  })
})

/** Another process on the same database, with the same people. */
function startSecond(overrides: object = {}) {
  const { people, alive } = at.signIn
  return startApps(storage, { issuer: at.issuer, ...overrides }).then((second) => {
    for (const [id, user] of people) second.signIn.people.set(id, user)
    for (const [id, session] of alive) second.signIn.alive.set(id, session)
    second.signIn.decision = { context: { patient: 'p1' } }
    return second
  })
}
