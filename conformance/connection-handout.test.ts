import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { LAB_SECRET, labConnection, openBrokerServer } from './support/open-broker-server.ts'

const opened = await openBrokerServer({
  connections: (lab, resource) =>
    [
      labConnection(lab, resource, { more: ['callers: [app-1]'] }),
      labConnection(lab, resource, { name: 'other' }),
      labConnection(lab, resource, { name: 'bound', more: ['dpop: true'] }),
    ].join('\n'),
})
after(() => opened.close())

describe('a token for a program', () => {
  test('is given to a client that the connection names, and of no other connection', async () => {
    const { server, lab } = opened
    const app = await server.app({
      scopes: 'admin/connections.own',
      as: 'secret',
      grants: ['client_credentials'],
    })
    assert.equal(app.clientId, 'app-1')
    const { json } = await app.clientCredentials('admin/connections.own', {
      set: { resource: server.adminUrl },
    })
    const ask = (path: string) =>
      fetch(`${server.adminUrl}/connections${path}`, {
        headers: { authorization: `Bearer ${json.access_token}` },
      })
    const own = await ask('/lab/token')
    const body = (await own.json()) as { access_token: string }
    assert.equal(own.status, 200, JSON.stringify(body))
    assert.ok(lab.readAccessToken(body.access_token))
    for (const path of ['/other/token', '/nope/token', '/lab', '', '/lab/doctor']) {
      assert.ok([403, 405].includes((await ask(path)).status), path)
    }
  })

  test('that is bound to a key is not given; the sidecar is named', async () => {
    const access_token = 'a-token-that-is-bound-to-a-key-of-this-server'
    opened.lab.say({ body: { access_token, token_type: 'DPoP', expires_in: 300 } })
    const { status, json } = await opened.token('bound')
    assert.equal(status, 409)
    assert.match(json.fix, /\/out\/bound\//)
    assert.ok(!JSON.stringify(json).includes(access_token))
  })

  test('leaves an audit entry with its fingerprint, in a chain that holds', async () => {
    const { json } = await opened.token('other')
    const verified = await opened.server.admin<{ intact: boolean }>('GET', '/audit/verification')
    assert.equal(verified.intact, true)
    const rows = await opened.server.sql(
      "SELECT content FROM audit_admin WHERE content LIKE '%connection.token%'",
    )
    const contents = rows.map(({ content }) => String(content))
    const mine = contents.findLast((content) => content.includes('connection/other')) ?? ''
    const digest = createHash('sha256').update(json.access_token).digest().subarray(0, 16)
    assert.ok(mine.includes(digest.toString('base64url')), mine)
    assert.ok(contents.some((content) => content.includes('"app-1"')))
    assert.ok(!contents.some((content) => content.includes(json.access_token)))
    for (const line of opened.server.log) {
      assert.ok(!line.includes(json.access_token) && !line.includes(LAB_SECRET))
    }
  })
})

describe('the doctor of a running server', () => {
  const examine = async (body: object) => {
    const response = await opened.server.adminCall('POST', '/connections/other/doctor', body)
    // biome-ignore lint/suspicious/noExplicitAny: what came is asserted on, member by member
    return { status: response.status, json: (await response.json()) as any }
  }

  test('tries the token that is in use at the resource of the connection', async () => {
    await opened.token('other')
    opened.lab.forget()
    const { status, json } = await examine({ url: `${opened.resource.url}/Patient/1` })
    assert.equal(status, 200, JSON.stringify(json))
    const step = json.findings.find((each: { check: string }) => each.check === 'resource')
    assert.equal(step?.outcome, 'pass', JSON.stringify(json.findings))
    assert.equal(opened.lab.counts.requests, 0, 'no token is asked for')
  })

  test('explains the refusal of the resource', async () => {
    opened.resource.refusals = 1
    opened.resource.challenge = 'Bearer error="insufficient_scope", scope="system/Observation.rs"'
    const { json } = await examine({ url: `${opened.resource.url}/Patient/1` })
    opened.resource.refusals = 0
    opened.resource.challenge = undefined
    assert.deepEqual([json.outcome, json.kind], ['fail', 'permission'])
    const step = json.findings.find((each: { check: string }) => each.check === 'needed scope')
    assert.match(step.found, /lacks `system\/Observation\.rs`/)
  })

  test('sends the token nowhere else', async () => {
    opened.resource.forget()
    const { status } = await examine({ url: `${opened.lab.url}/Patient/1` })
    assert.equal(status, 400)
    assert.equal(opened.resource.requests.length, 0)
  })
})
