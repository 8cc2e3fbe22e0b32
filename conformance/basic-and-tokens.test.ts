import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openSmartServer } from './support/open-smart-server.ts'

// Problem 7, acceptance 1 and 2: both ways side by side, over HTTP.
const server = await openSmartServer({ r4: 'auth: [basic, oauth2]' })
after(() => server.close())
const { fhirUrl } = server

const get = (headers: HeadersInit, path = 'Patient') => fetch(`${fhirUrl}/${path}`, { headers })
const basicOf = ({ username, password }: { username: string; password: string }) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

test('a password and a token each open the endpoint', async () => {
  const person = await server.user()
  const withPassword = await get({ authorization: basicOf(person) })
  assert.equal(withPassword.status, 200)
  const app = await server.app({
    scopes: 'system/*.rs',
    as: 'secret',
    grants: ['client_credentials'],
  })
  const { json } = await app.clientCredentials('system/*.rs')
  const withToken = await get({ authorization: `Bearer ${json.access_token}` })
  assert.equal(withToken.status, 200)
  const [one, other] = await Promise.all([withPassword.json(), withToken.json()])
  assert.equal((one as { total: number }).total, (other as { total: number }).total)

  const inQuery = await get({}, `Patient?access_token=${json.access_token}`)
  assert.equal(inQuery.status, 401)
})

test('neither gives 401 with a challenge for each', async () => {
  for (const headers of [{}, { authorization: basicOf({ username: 'x', password: 'y' }) }]) {
    const answer = await get(headers)
    assert.equal(answer.status, 401)
    assert.equal(
      answer.headers.get('www-authenticate')?.replaceAll(/, algs="[^"]*"/g, ''),
      `Bearer realm="${fhirUrl}", DPoP realm="${fhirUrl}", Basic realm="${fhirUrl}", charset="UTF-8"`,
    )
  }
})

test('a user without fhirUser is told so; rights are those of reading by default', async () => {
  const nobody = await server.user({ fhirUser: null })
  const refused = await get({ authorization: basicOf(nobody) })
  assert.equal(refused.status, 403)
  assert.match(await refused.text(), /user_context_missing/)
  const person = await server.user()
  const removed = await fetch(`${fhirUrl}/Patient/pat-1`, {
    method: 'DELETE',
    headers: { authorization: basicOf(person) },
  })
  assert.equal(removed.status, 403)
})

test('who guesses is slowed down', async () => {
  const { username } = await server.user()
  const statuses: number[] = []
  for (let i = 0; i < 7; i += 1) {
    const answer = await get({ authorization: basicOf({ username, password: `guess ${i}` }) })
    statuses.push(answer.status)
    if (answer.status === 429) assert.ok(Number(answer.headers.get('retry-after')) > 0)
  }
  assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429])
})

test('no password is in the log or in storage as it is', async () => {
  const person = await server.user()
  await get({ authorization: basicOf(person) })
  const rows = JSON.stringify(await server.sql('SELECT * FROM trace'))
  for (const text of [...server.log, rows]) {
    assert.ok(!text.includes(person.password) && !text.includes(basicOf(person).slice(6)))
  }
})
