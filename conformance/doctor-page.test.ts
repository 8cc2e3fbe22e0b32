import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isAway } from './support/browser.ts'
import { navigate } from './support/navigate.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { serveDocuments } from './support/serve-documents.ts'

// The doctor as a page: the token is typed into it, and the admin API decides.
const HOSTILE = '<script>alert(1)</script>"\'&'
const web = await serveDocuments()
web.documents.set('/.well-known/openid-configuration', () => ({
  body: { issuer: HOSTILE, jwks_uri: `${web.origin}/keys` },
}))
web.documents.set('/keys', () => ({ body: { keys: [] } }))
const server = await openSmartServer({
  withoutSample: true,
  r4: 'trust: [self, idp]',
  yaml: `issuers: [{ name: idp, issuer: "${web.origin}" }]\n`,
})
after(async () => {
  await server.close()
  await web.close()
})
const at = `${server.url}/admin/doctor`

async function tokenFor(scope: string): Promise<string> {
  const app = await server.app({ as: 'secret', scopes: scope, grants: ['client_credentials'] })
  const { json } = await app.clientCredentials(scope, { set: { resource: server.adminUrl } })
  assert.ok(json.access_token, JSON.stringify(json))
  return json.access_token
}
const post = (body: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(at, { method: 'POST', body: new URLSearchParams(body), headers })
const good = await tokenFor('admin/doctor.read')

describe('the doctor as a page', () => {
  test('is linked from the first page, and asks an operator for a token', async () => {
    const browser = browserOf(server, navigate)
    const first = await browser.open(`${server.url}/`)
    assert.ok(!isAway(first))
    assert.ok(first.links.some(({ href }) => href === at))
    const page = await browser.open(at)
    assert.ok(!isAway(page))
    assert.equal(page.status, 200)
    assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none';/)
    assert.equal(page.headers.get('cache-control'), 'no-store')
    const report = await browser.submit(page.forms[0]!, { token: ` ${good}\n` })
    assert.ok(!isAway(report))
    assert.equal(report.status, 200)
    assert.equal(report.url, at, 'the token is in no address')
    assert.equal(browser.cookies.list().length, 0, 'and in no cookie')
    assert.match(report.text, /issuer idp, issuer/)
    assert.match(report.text, /To do: /)
    assert.ok(report.text.indexOf('failure') < report.text.indexOf('in order'), 'worst first')
    assert.ok(!report.html.includes(good))
    assert.equal(report.headers.get('cache-control'), 'no-store')
  })

  test('shows what others state as text', async () => {
    const html = await (await post({ token: good })).text()
    assert.ok(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
    assert.ok(!html.includes('<script'))
  })

  test('is refused without the scope, with no good token and with none, saying what to do', async () => {
    const other = await tokenFor('admin/status.read')
    for (const [token, status, told] of [
      [other, 403, /admin\/doctor\.read/],
      ['e30.e30.e30', 401, /To do:/],
      ['', 400, /no token in the form/],
      ['a token\r\nX-Evil: 1', 400, /no token in the form/],
    ] as const) {
      const answer = await post({ token })
      const html = await answer.text()
      assert.equal(answer.status, status, token)
      assert.match(html, told)
      assert.ok(token === '' || !html.includes(token))
      assert.doesNotMatch(html, /issuer idp/)
    }
    assert.equal((await post({})).status, 400)
    assert.equal((await fetch(at, { method: 'DELETE' })).status, 405)
  })

  test('takes no token from the address, the header or a page of another site', async () => {
    const asked = await fetch(`${at}?token=${good}`, {
      headers: { authorization: `Bearer ${good}` },
    })
    assert.doesNotMatch(await asked.text(), /issuer idp/)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none', origin: server.url },
    ]) {
      const answer = await post({ token: good }, headers)
      assert.equal(answer.status, 403, JSON.stringify(headers))
      assert.doesNotMatch(await answer.text(), /issuer idp/)
    }
  })

  test('the token is in no log and no trace', async () => {
    await post({ token: good })
    const signature = good.split('.')[2] ?? ''
    assert.ok(signature.length > 20)
    assert.ok(!server.log.join('\n').includes(signature))
  })
})
