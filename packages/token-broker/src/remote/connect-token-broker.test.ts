import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { TokenUnavailable } from '@scopegate/oauth-model'
import { connectTokenBroker } from '@scopegate/token-broker'

interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

/** A server with one connection, `lab`. */
async function openServer(t: TestContext) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { url: path = '', headers } = request
    asked.push({ path, authorization: headers.authorization, body })
    response.setHeader('Content-Type', 'application/json')
    if (path === '/oauth/token') {
      const token = { access_token: 'own', token_type: 'Bearer', expires_in: 300 }
      response.end(JSON.stringify(token))
    } else if (path.startsWith('/admin/api/connections/lab/token')) {
      const token = { access_token: 'of-lab', token_type: 'Bearer', expires_in: 600 }
      response.end(JSON.stringify({ ...token, scope: 'a b', warnings: ['odd'] }))
    } else {
      response.statusCode = path.includes('/broken/') ? 502 : 403
      const failure = { kind: 'configuration', code: 'x', cause: 'the secret is wrong', fix: 'y' }
      response.end(JSON.stringify(response.statusCode === 502 ? { failure } : { detail: 'no' }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { asked, url: `http://127.0.0.1:${port}` }
}

test('a program gets the tokens of a server’s connections, and keeps them', async (t) => {
  const { asked, url } = await openServer(t)
  const broker = connectTokenBroker({ url, clientId: 'app', secret: () => 'app-secret' })
  t.after(() => broker.close())
  const tokens = await Promise.all(Array.from({ length: 20 }, () => broker.getToken('lab')))
  assert.deepEqual(new Set(tokens.map(({ accessToken }) => accessToken)), new Set(['of-lab']))
  const [token] = tokens
  assert.deepEqual([token?.scopes, token?.warnings], [['a', 'b'], ['odd']])
  assert.equal(asked.length, 2)
  assert.match(asked[0]!.body, /resource=http.*%2Fadmin%2Fapi/)
  assert.deepEqual(
    [asked[1]?.path, asked[1]?.authorization],
    ['/admin/api/connections/lab/token', 'Bearer own'],
  )
  await broker.getToken('lab', { scopes: ['a'], audience: 'x' })
  assert.equal(asked[2]?.path, '/admin/api/connections/lab/token?scope=a&audience=x')
})

test('a program learns from the server why there is no token', async (t) => {
  const { url } = await openServer(t)
  const broker = connectTokenBroker({ url, clientId: 'app', secret: () => 'app-secret' })
  t.after(() => broker.close())
  await assert.rejects(broker.getToken('broken'), /the secret is wrong/)
  await assert.rejects(broker.getToken('other'), (error) => {
    assert.ok(error instanceof TokenUnavailable)
    assert.match(error.message, /answered 403: no; name this client in `callers`/)
    return true
  })
})

test('a server whose tokens would travel in the clear is not asked', () => {
  const url = 'https://gate.example'
  const common = { clientId: 'app', secret: () => 'app-secret' }
  for (const adminUrl of ['http://gate.example/admin/api', 'gate.example/admin/api']) {
    assert.throws(() => connectTokenBroker({ ...common, url, adminUrl }), /https/)
  }
  assert.throws(() => connectTokenBroker({ ...common, url: 'http://gate.example' }), /https/)
})
