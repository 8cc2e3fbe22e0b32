import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isAway } from './support/browser.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'

// What costs storage or time before anybody is known.
const SCOPE = 'launch/patient openid patient/Patient.rs'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

describe('sign-ins begun from one address are limited', async () => {
  const server = await openSmartServer({ withoutSample: true, limits: 'signInStartsPerMinute: 10' })
  after(() => server.close())
  const app = await server.app({ scopes: SCOPE, grants: ['authorization_code', DEVICE] })
  const kept = async () =>
    Number((await server.sql('SELECT count(*) AS n FROM engine_model'))[0]?.n ?? 0)

  test('above the limit: a page with 429 and Retry-After, and nothing is kept', async () => {
    for (let begun = 0; begun < 10; begun++) {
      const page = await browserOf(server).open(app.authorize({ scope: SCOPE }).url)
      assert.ok(!isAway(page) && page.status === 200, 'a sign-in is shown')
    }
    const before = await kept()
    const page = await browserOf(server).open(app.authorize({ scope: SCOPE }).url)
    assert.ok(!isAway(page), 'a page, and no redirect')
    assert.equal(page.status, 429)
    assert.ok(Number(page.headers.get('retry-after')) >= 1)
    assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
    assert.match(page.text, /limits\.signInStartsPerMinute/)
    assert.equal(await kept(), before)
  })

  test('a pushed request and that of a device count, too', async () => {
    const before = await kept()
    const { params } = app.authorize({ scope: SCOPE })
    const pushed = await app.post(`${server.url}/oauth/par`, Object.fromEntries(params))
    const device = await app.post(`${server.url}/oauth/device`, {
      scope: SCOPE,
      aud: server.fhirUrl,
    })
    for (const { status, headers, json } of [pushed, device]) {
      assert.equal(status, 429, JSON.stringify(json))
      assert.equal(json.error, 'temporarily_unavailable')
      assert.ok(Number(headers.get('retry-after')) >= 1)
    }
    assert.equal(await kept(), before)
  })
})
