import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openGateway } from './support/open-gateway.ts'
import { openUpstream } from './support/upstream.ts'

// Scripts of pages of other origins: who may call is declared; cookies never come along.
const PAGE = 'https://app.example.org'
let reached = 0
const upstream = await openUpstream((request, response) => {
  reached += 1
  response.setHeader('access-control-allow-origin', 'https://evil.example')
  response.setHeader('access-control-allow-credentials', 'true')
  response.setHeader('vary', 'Accept-Language')
  response.end(`${request.method} ${request.url}`)
})
const routes = [
  { path: '/read', methods: ['GET'], scopes: ['read'] },
  { path: '/write', methods: ['POST'], scopes: ['write'] },
  { path: '/public/*', methods: ['GET'], public: true },
]
const declared = await openGateway({
  ...{ upstream: upstream.url, routes },
  declaration: { origins: [PAGE] },
})
const anybody = await openGateway({
  ...{ upstream: upstream.url, routes },
  declaration: { origins: ['*'] },
})
const silent = await openGateway({ upstream: upstream.url, routes })
after(async () => {
  await Promise.all([declared, anybody, silent].map((gateway) => gateway.close()))
  await upstream.close()
})

const preflight = (gateway: typeof declared, path: string, origin = PAGE, headers = {}) =>
  fetch(`${gateway.url}/api${path}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
      ...headers,
    },
  })
const cors = (response: Response) =>
  Object.fromEntries([...response.headers].filter(([name]) => /^access-control|^vary$/.test(name)))

describe('a preflight', () => {
  test('is answered without a token, and never reaches the upstream', async () => {
    const answer = await preflight(declared, '/write')
    assert.equal(answer.status, 204)
    assert.deepEqual(cors(answer), {
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers',
    })
    assert.equal(reached, 0)
  })

  test('is the same for every path, so that nothing is learned of any', async () => {
    const known = await preflight(declared, '/read')
    const unknown = await preflight(declared, '/nowhere')
    assert.deepEqual([unknown.status, cors(unknown)], [known.status, cors(known)])
  })

  test('of another origin permits nothing', async () => {
    for (const origin of ['https://evil.example', 'null', `${PAGE}.evil.example`, `${PAGE}:444`]) {
      const answer = await preflight(declared, '/write', origin)
      assert.equal(answer.headers.get('access-control-allow-origin'), null, origin)
      assert.equal(answer.headers.get('access-control-allow-headers'), null, origin)
    }
  })

  test('repeats only names of headers', async () => {
    for (const wish of ['x y', 'a: b', '*', 'x'.repeat(5000)]) {
      const answer = await preflight(declared, '/write', PAGE, {
        'access-control-request-headers': wish,
      })
      const allowed = answer.headers.get('access-control-allow-headers') ?? ''
      assert.match(allowed, /^x{0,1000}$/)
    }
  })

  test('is an ordinary request where no origins are declared', async () => {
    assert.equal((await preflight(silent, '/write')).status, 401)
  })
})

describe('an answer', () => {
  test('may be read by the declared page; what the upstream says of origins is dropped', async () => {
    const answer = await declared.fetch('/api/read', { headers: { origin: PAGE } })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('access-control-allow-origin'), PAGE)
    assert.equal(answer.headers.get('access-control-allow-credentials'), null)
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /WWW-Authenticate/)
    assert.deepEqual(answer.headers.get('vary')?.split(', ').sort(), ['Accept-Language', 'Origin'])
  })

  test('that refuses may be read too, so that a page can say why', async () => {
    for (const [path, token, status] of [
      ['/api/read', null, 401],
      ['/api/read', declared.token('other'), 403],
      ['/api/nowhere', undefined, 404],
    ] as const) {
      const answer = await declared.fetch(path, {
        headers: { origin: PAGE },
        ...(token !== undefined && { token }),
      })
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('access-control-allow-origin'), PAGE)
    }
  })

  test('says nothing to other origins, and not that there are any', async () => {
    const answer = await declared.fetch('/api/read', {
      headers: { origin: 'https://evil.example' },
    })
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
    assert.match(answer.headers.get('vary') ?? '', /Origin/)
  })

  test('is for every page where any origin is declared', async () => {
    const answer = await anybody.fetch('/api/public/x', {
      headers: { origin: 'https://x.example' },
    })
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.equal(answer.headers.get('access-control-allow-credentials'), null)
  })

  test('is left to the upstream where no origins are declared', async () => {
    const answer = await silent.fetch('/api/read', { headers: { origin: PAGE } })
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://evil.example')
  })
})
