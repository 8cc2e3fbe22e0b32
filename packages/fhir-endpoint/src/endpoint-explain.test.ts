import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExplainRequest } from '@scopegate/oauth-model'
import { BASE, type SendOptions } from './test-support/endpoint-under-test.ts'
import { LAB, observation } from './test-support/fixture.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
const claims = {
  scope: `patient/Observation.cruds${LAB} patient/Bogus.rs`,
  patient: 'P1',
  client_id: 'app',
}
const explain = (request: Partial<ExplainRequest>) =>
  t.endpoint.explain({ method: 'GET', path: '/Observation/O1', claims, ...request })
const failure = (explanation: Awaited<ReturnType<typeof explain>>) =>
  explanation.checks.find(({ outcome }) => outcome === 'fail')

test('a permitted request: every check in order, what narrows it, and what grants nothing', async () => {
  const explanation = await explain({})
  assert.equal(explanation.allowed, true)
  assert.equal(explanation.status, 200)
  assert.equal(explanation.checks.length, 16)
  assert.equal(failure(explanation), undefined)
  assert.match(explanation.notes.join('\n'), /patient\/Bogus\.rs.*grants nothing/)
  assert.match(explanation.notes.join('\n'), /Observation\.r: in the record of Patient\/P1/)
})

test('the operator learns why an instance counts as absent, which the caller does not', async () => {
  const hidden = await explain({ path: `${new URL(BASE).pathname}/Observation/O2` })
  assert.deepEqual(
    [hidden.allowed, hidden.status, failure(hidden)?.code],
    [false, 404, 'constraint_mismatch'],
  )
  const absent = await explain({ path: '/Observation/nope' })
  assert.deepEqual([absent.status, failure(absent)?.code], [404, 'instance_absent'])
})

test('a token is verified as it would be on the endpoint', async () => {
  const token = t.lab.mintToken({ audience: 'https://other.example', scope: 'system/*.rs' })
  const { claims: _, ...request } = { claims, method: 'GET', path: '/Observation/O1', token }
  const wrong = await t.endpoint.explain(request)
  assert.deepEqual([wrong.status, failure(wrong)?.code], [401, 'audience_mismatch'])
  const right = await t.endpoint.explain({
    ...request,
    token: t.lab.mintToken({ audience: BASE, scope: 'system/*.rs' }),
  })
  assert.equal(right.allowed, true)
  const none = await t.endpoint.explain({ method: 'GET', path: '/Observation/O1' })
  assert.deepEqual([none.status, failure(none)?.code], [401, 'token_missing'])
  const other = await explain({ claims: { ...claims, aud: 'https://other.example' } })
  assert.equal(failure(other)?.code, 'audience_mismatch')
})

test('says what the endpoint says: same status for the same request', async () => {
  const body = JSON.stringify(observation('O1', 'P1', ['laboratory']))
  const cases: [string, string, string?][] = [
    ['GET', 'Observation'],
    ['GET', 'Observation?subject:Patient.name=x'],
    ['GET', 'Observation?status:nonsense=x'],
    ['GET', 'Patient/P1'],
    ['GET', 'Observation/O2'],
    ['GET', 'Observation/O1/_history'],
    ['GET', 'Observation/O2/_history/1'],
    ['GET', 'Nonsense'],
    ['PATCH', 'Observation/O1'],
    ['PUT', 'Observation/O1', body],
    ['PUT', 'Observation/O2', JSON.stringify(observation('O2', 'P1', ['laboratory']))],
    ['PUT', 'Observation/O1', JSON.stringify(observation('O1', 'P2', ['laboratory']))],
    ['POST', 'Observation', body],
    ['POST', 'Observation', JSON.stringify(observation('x', 'P1', ['vital-signs']))],
    ['DELETE', 'Observation/O5'],
    ['DELETE', 'Observation/O8'],
    ['GET', 'metadata'],
  ]
  const options: SendOptions = { scope: claims.scope, patient: 'P1' }
  for (const [method, path, text] of cases) {
    const explained = await explain({
      method,
      path: `/${path}`,
      ...(text === undefined ? {} : { body: text }),
    })
    const real = await t.send(path, {
      ...options,
      method,
      ...(text === undefined ? {} : { body: text }),
    })
    assert.equal(explained.status, real.status, `${method} ${path}`)
  }
})

test('a write without its body is said to be judged in part', async () => {
  const without = await explain({ method: 'POST', path: '/Observation' })
  assert.match(without.notes.join('\n'), /without the body/)
  const body = JSON.stringify(observation('O1', 'P1', ['laboratory']))
  const whole = await explain({ method: 'POST', path: '/Observation', body })
  assert.doesNotMatch(whole.notes.join('\n'), /without the body/)
})

test('nothing is written', async () => {
  const before = await t.send('Observation/O3', { scope: 'system/*.rs' })
  await explain({ method: 'DELETE', path: '/Observation/O3' })
  assert.equal((await t.send('Observation/O3', { scope: 'system/*.rs' })).text, before.text)
})
