import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createUpstreamLogins, LoginRefused } from '@scopegate/oidc-login'
import {
  callbackUrl,
  chooseUser,
  openUpstream,
  PROVIDERS,
  refusalOf,
  SECRET,
  sealer,
  signIn,
} from './testing/open-upstream.ts'

const begin = ({ logins }: ReturnType<typeof openUpstream>) =>
  logins.begin(logins.list()[0]?.name ?? '', { returnTo: '/' })

describe('the metadata of a provider', () => {
  test('is fetched once for many at a time, and again after an hour', async () => {
    const upstream = openUpstream('generic')
    await Promise.all([begin(upstream), begin(upstream), begin(upstream)])
    assert.deepEqual(upstream.requests, ['GET /.well-known/openid-configuration'])
    upstream.clock.nowMs += 3_599_000
    await begin(upstream)
    assert.equal(upstream.requests.length, 1)
    upstream.clock.nowMs += 2000
    await begin(upstream)
    assert.equal(upstream.requests.length, 2)
  })

  test('that cannot be had is told as an outage, and asked for again soon', async () => {
    const upstream = openUpstream('generic')
    upstream.lab.faults.add('down')
    const refused = await refusalOf(() => begin(upstream))
    assert.equal(refused.reason, 'provider_unavailable')
    assert.equal(refused.status, 503)
    assert.match(refused.message, /well-known\/openid-configuration answered with status 503/)
    await refusalOf(() => begin(upstream))
    assert.equal(upstream.requests.length, 1, 'an outage is believed for a moment')
    upstream.lab.faults.clear()
    upstream.clock.nowMs += 5001
    await begin(upstream)
  })

  test('serves on for a day while the provider is silent', async () => {
    const upstream = openUpstream('generic')
    await begin(upstream)
    upstream.lab.faults.add('down')
    upstream.clock.nowMs += 23 * 3_600_000
    await begin(upstream)
    upstream.clock.nowMs += 2 * 3_600_000
    assert.equal((await refusalOf(() => begin(upstream))).reason, 'provider_unavailable')
  })

  test('that names another issuer is refused with both values, however old the last was', async () => {
    const upstream = openUpstream('generic')
    await begin(upstream)
    upstream.lab.faults.add('other_discovery_issuer')
    upstream.clock.nowMs += 3_600_001
    const refused = await refusalOf(() => begin(upstream))
    assert.equal(refused.reason, 'discovery_mismatch')
    assert.equal(refused.expected, 'issuer `https://idp.example/`')
    assert.equal(refused.got, 'issuer `https://idp.example/another`')
  })

  test('that is not there, or no JSON, is told as such', async () => {
    for (const [answer, got] of [
      [() => new Response('nothing', { status: 404 }), /status 404/],
      [() => new Response('<html>', { headers: { 'content-type': 'text/html' } }), /content-type/],
      [() => Response.json([]), /./],
      [
        () => Response.json({ issuer: 'https://idp.example' }),
        /`authorization_endpoint` with a URL, got none/,
      ],
      [
        () => new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } }),
        /status/,
      ],
    ] as const) {
      const upstream = openUpstream('generic', { deps: { fetch: async () => answer() } })
      const refused = await refusalOf(() => begin(upstream))
      assert.equal(refused.reason, 'discovery_unusable')
      assert.match(refused.message, got)
    }
  })

  test('larger than any is, or slower than the time limit, is an outage', async () => {
    const large = openUpstream('generic', {
      deps: { fetch: async () => new Response('x'.repeat(300_000)) },
    })
    assert.match((await refusalOf(() => begin(large))).message, /larger than 262144 bytes/)
    const slow = openUpstream('generic', {
      deps: {
        timeoutMs: 50,
        fetch: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason))
          }),
      },
    })
    const refused = await refusalOf(() => begin(slow))
    assert.equal(refused.reason, 'provider_unavailable')
    assert.match(refused.message, /no answer within 50 ms/)
  })

  test('cannot lead to plain http or to this machine', async () => {
    for (const [member, address] of [
      ['token_endpoint', 'http://idp.example/token'],
      ['token_endpoint', 'https://127.0.0.1/token'],
      ['jwks_uri', 'https://localhost:5432/'],
      ['jwks_uri', 'http://169.254.169.254/latest/meta-data'],
    ] as const) {
      const asked: string[] = []
      const upstream = openUpstream('generic')
      const logins = createUpstreamLogins({
        providers: [
          {
            name: 'generic',
            ...PROVIDERS.generic,
            clientId: 'scopegate',
            authentication: { method: 'secret', secret: SECRET },
          },
        ],
        sealer,
        callbackUrl,
        nowMs: Date.now,
        fetch: async (url, init) => {
          asked.push(url)
          const response = await upstream.lab.fetch(new Request(url, init))
          if (!url.includes('.well-known')) return response
          return Response.json({ ...((await response.json()) as object), [member]: address })
        },
      })
      const refused = await refusalOf(() => signIn({ ...upstream, logins }))
      assert.ok(
        ['discovery_unusable', 'answer_malformed'].includes(refused.reason),
        refused.message,
      )
      assert.ok(!asked.includes(address), `${address} was asked`)
    }
  })

  test('an outage between asking and answering is told, and keeps where to go on', async () => {
    const upstream = openUpstream('generic')
    const { redirectTo, state } = await upstream.logins.begin('generic', { returnTo: '/account' })
    const answered = await chooseUser(upstream.lab, redirectTo, 'nora')
    upstream.lab.faults.add('down')
    const refused = await refusalOf(() => upstream.logins.complete('generic', answered, state))
    assert.equal(refused.reason, 'provider_unavailable')
    assert.equal(refused.returnTo, '/account')
  })

  test('an unknown provider is refused by name', async () => {
    const { logins } = openUpstream('generic')
    for (const name of ['nobody', 'constructor', '__proto__', '']) {
      const refused = await refusalOf(() => logins.begin(name, { returnTo: '/' }))
      assert.ok(refused instanceof LoginRefused)
      assert.equal(refused.reason, 'provider_unknown')
      assert.equal(refused.status, 404)
    }
  })
})
