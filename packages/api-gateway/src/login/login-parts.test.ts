import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isOwnCookie, setsOwnCookie, withoutOwnCookies } from '@scopegate/upstream'
import { createInProcessFetch } from './in-process-fetch.ts'
import { createLoginCookies, slugOf } from './login-cookies.ts'
import { readCookie } from './read-cookie.ts'
import { returnAddress } from './return-address.ts'
import { refuseCrossSite } from './same-origin.ts'

describe('cookies of this server', () => {
  test('are known by their names, whatever stands before and after', () => {
    for (const name of [
      'scopegate_session',
      '__Host-scopegate_web_bank',
      '__host-SCOPEGATE_engine.sig',
      '__Secure-scopegate_login_bank.0123456789abcdef',
    ]) {
      assert.ok(isOwnCookie(name), name)
    }
    for (const name of ['session', 'my_scopegate_session', 'scopegate', 'scopegates']) {
      assert.ok(!isOwnCookie(name), name)
    }
    assert.ok(setsOwnCookie(' = scopegate_session=x'))
    assert.equal(withoutOwnCookies('a=1; scopegate_session=x;b=2'), 'a=1;b=2')
    assert.equal(withoutOwnCookies('scopegate_session=x'), '')
  })

  test('are one value, or none', () => {
    assert.equal(readCookie('a=1; b=2=3; c', 'b'), '2=3')
    assert.equal(readCookie('a=1; a=1', 'a'), '1')
    assert.equal(readCookie('a=1; a=2', 'a'), undefined)
    assert.equal(readCookie(undefined, 'a'), undefined)
  })
})

describe('cookies of an app', () => {
  const https = createLoginCookies({
    api: { name: 'bank', path: '/bank', url: 'https://api.example/bank' },
  })

  test('are kept to the host by the browser where that is possible', () => {
    assert.equal(
      https.setSession('x'),
      '__Host-scopegate_web_bank=x; Path=/; HttpOnly; SameSite=Lax; Secure',
    )
    const narrow = createLoginCookies({
      api: { name: 'bank', path: '/bank', url: 'https://api.example/bank' },
      path: '/bank',
    })
    assert.match(narrow.setSession('x'), /^__Secure-scopegate_web_bank=x; Path=\/bank; .*Secure$/)
  })

  test('of sign-ins under way do not pile up', () => {
    const header = Array.from({ length: 12 }, (_, n) => `${https.statePrefix}${n}=x`).join('; ')
    const [begun, ...gone] = https.setState(header, 'state', 'sealed', 600)
    assert.match(begun ?? '', /=sealed; .*Max-Age=600$/)
    assert.equal(gone.length, 5)
    for (const line of gone) assert.match(line, /Max-Age=0$/)
  })

  test('have names that no other app has', () => {
    const names = ['bank', 'Bank', 'my bank', 'my.bank', 'my_bank', 'my-bank', 'BANK']
    assert.equal(new Set(names.map(slugOf)).size, names.length)
    for (const name of names) assert.match(slugOf(name), /^[a-z0-9_-]+$/)
  })
})

describe('the address to go on at', () => {
  test('is of the app, as it was', () => {
    for (const address of [
      '/bank',
      '/bank/',
      '/bank/a?x=%2F&y=//z#top',
      '/bank/%E2%82%AC?q=a:b@c',
    ]) {
      assert.equal(returnAddress(address, '/bank'), address)
    }
  })
  test('or its first page', () => {
    for (const address of [
      '/banks',
      '/',
      '//bank/',
      '/bank/../x',
      '/bank/%2e%2e/x',
      undefined,
      null,
    ]) {
      assert.equal(returnAddress(address, '/bank'), '/bank/', String(address))
    }
  })
})

describe('a request with the cookie of a session', () => {
  const own = 'https://api.example'
  const refused = (method: string, headers: Record<string, string>, more: string[] = []) =>
    refuseCrossSite({ method, headers }, own, more) !== undefined

  test('that only reads may come from anywhere', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      assert.ok(
        !refused(method, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }),
      )
    }
  })
  test('that changes something comes from the app, or from who is listed', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'WHATEVER']) {
      assert.ok(!refused(method, { origin: own }))
      assert.ok(!refused(method, { 'sec-fetch-site': 'same-origin' }))
      assert.ok(!refused(method, { origin: 'https://app.example' }, ['https://app.example']))
      assert.ok(refused(method, { origin: 'https://app.example' }))
      assert.ok(refused(method, { origin: 'null' }))
      assert.ok(refused(method, { origin: 'http://api.example', 'sec-fetch-site': 'same-site' }))
      assert.ok(refused(method, {}))
    }
  })
  test('that opens a WebSocket too, although it is a GET', () => {
    assert.ok(refused('GET', { upgrade: 'WebSocket', origin: 'https://evil.example' }))
    assert.ok(!refused('GET', { upgrade: 'websocket', origin: own }))
  })
})

test('a fetch in process reaches its handler with method, headers and body', async () => {
  const fetchSelf = createInProcessFetch(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method, url, headers, socket } = request
    response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'] })
    response.end(
      JSON.stringify({ method, url, host: headers.host, body, at: socket.remoteAddress }),
    )
  })
  const answers = await Promise.all(
    ['one', 'two'].map((value) =>
      fetchSelf('https://as.example/token?x=1', {
        method: 'POST',
        body: new URLSearchParams({ value }),
      }),
    ),
  )
  assert.deepEqual(answers[0]?.headers.getSetCookie(), ['a=1', 'b=2'])
  assert.deepEqual(await answers[1]?.json(), {
    ...{ method: 'POST', url: '/token?x=1', host: 'as.example', body: 'value=two' },
    at: '127.0.0.1',
  })
})
