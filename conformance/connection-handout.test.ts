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
