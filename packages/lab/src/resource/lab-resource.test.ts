import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createLabKey, serveLabResource, serveLabTokenServer } from '@scopegate/lab'

const tokens = await serveLabTokenServer({ keys: [createLabKey('ES256')] })
const resource = await serveLabResource({ tokens, newestOnly: true })
after(async () => {
  await resource.close()
  await tokens.close()
})

const get = (path: string, token?: string, init: RequestInit = {}) =>
  fetch(`${resource.url}${path}`, {
    ...init,
    headers: { ...init.headers, ...(token && { authorization: `Bearer ${token}` }) },
  })

test('takes the newest token, and no other', async () => {
  const old = tokens.mintAccessToken({ scopes: ['a'] })
  const token = tokens.mintAccessToken({ scopes: ['a'] })
  resource.forget()
  assert.equal((await get('/fhir/Patient/1', token)).status, 200)
  for (const wrong of [undefined, 'made-up', old]) {
    const answer = await get('/fhir/Patient/1', wrong)
    assert.equal(answer.status, 401)
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
  assert.deepEqual(
    resource.requests.map(({ refused }) => refused),
    [undefined, 'no_token', 'token_not_valid', 'token_not_newest'],
  )
  assert.deepEqual(resource.counts, { served: 1, refused: 3 })
})

test('refuses as often as told, with the challenge it is told', async () => {
  const token = tokens.mintAccessToken()
  resource.refusals = 1
  resource.challenge = null
  const refused = await get('/Patient/1', token)
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, null])
  resource.challenge = undefined
  assert.equal((await get('/Patient/1', token)).status, 200)
})

test('says what came without the token, and how long the body was', async () => {
  const token = tokens.mintAccessToken()
  const answer = await get('/anything?x=1', token, {
    method: 'POST',
    body: 'x'.repeat(100_000),
    headers: { 'x-one': '1' },
  })
  const text = await answer.text()
  assert.ok(!text.includes(token))
  const echo = JSON.parse(text)
  assert.equal(echo.url, '/anything?x=1')
  assert.equal(echo.body.bytes, 100_000)
  assert.ok(echo.headers.some(([name, value]: string[]) => name === 'x-one' && value === '1'))
})

test('sends big bodies, events and trailers', async () => {
  const token = tokens.mintAccessToken()
  const big = await get('/big?bytes=3000000', token)
  assert.equal((await big.arrayBuffer()).byteLength, 3_000_000)
  const events = await get('/events?count=2&everyMs=1', token)
  assert.equal(await events.text(), 'id: 1\ndata: event 1\n\nid: 2\ndata: event 2\n\n')
  assert.equal(await (await get('/trailers', token)).text(), 'with a trailer')
})

test('a WebSocket needs a token as well', async () => {
  const url = resource.url.replace('http', 'ws')
  const refused = new WebSocket(url)
  await new Promise((resolve) => refused.addEventListener('error', resolve, { once: true }))
  assert.equal(resource.requests.at(-1)?.refused, 'no_token')
})
