import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { browserOf, isSameOrigin, readCookie, setCookie } from './browser.ts'
import { createPages } from './create-pages.ts'

const HTTPS = { secure: true, embedded: false }

function exchange(headers: Record<string, string> = {}) {
  const request = new IncomingMessage(new Socket())
  Object.assign(request.headers, headers)
  return { request, response: new ServerResponse(request) }
}

const cookiesOf = (response: ServerResponse) => [response.getHeader('set-cookie') ?? []].flat()

test('on https cookies are kept to this host, to secure connections, and from scripts', () => {
  const { response } = exchange()
  setCookie(response, '__Host-scopegate_session', 'x', HTTPS, 60)
  assert.deepEqual(cookiesOf(response), [
    '__Host-scopegate_session=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60',
  ])
})

test('in a frame of an EHR they are kept apart for each of them', () => {
  const { response } = exchange()
  setCookie(response, '__Host-a', 'x', { secure: true, embedded: true })
  assert.match(String(cookiesOf(response)), /SameSite=None; Secure; Partitioned$/)
})

test('a browser keeps its name, and a made-up one is not taken', () => {
  const first = exchange()
  const browser = browserOf(first.request, first.response, HTTPS)
  const [line = ''] = cookiesOf(first.response)
  const value = String(line).split(';')[0]?.split('=')[1] ?? ''
  assert.match(String(line), /^__Host-scopegate_browser=/)
  assert.notEqual(browser.id, value)

  const second = exchange({ cookie: `a=b; __Host-scopegate_browser=${value}` })
  assert.equal(browserOf(second.request, second.response, HTTPS).id, browser.id)
  assert.deepEqual(cookiesOf(second.response), [])

  const third = exchange({ cookie: '__Host-scopegate_browser=chosen' })
  assert.notEqual(browserOf(third.request, third.response, HTTPS).id, browser.id)
  assert.equal(cookiesOf(third.response).length, 1)
})

test('the token of a form is of its browser and its subject', () => {
  const [one, other] = [exchange(), exchange()].map(({ request, response }) =>
    browserOf(request, response, HTTPS),
  )
  const token = one!.csrf('a')
  assert.ok(one!.isCsrf('a', token))
  assert.ok(!one!.isCsrf('b', token))
  assert.ok(!other!.isCsrf('a', token))
  for (const wrong of [undefined, '', `${token}x`]) assert.ok(!one!.isCsrf('a', wrong))
})

test('a form of another site is told by the browser', () => {
  const of = (site: string) => isSameOrigin(exchange({ 'sec-fetch-site': site }).request)
  assert.ok(of('same-origin'))
  assert.ok(!of('same-site'))
  assert.ok(!of('cross-site'))
  assert.ok(isSameOrigin(exchange().request))
})

test('cookies are read by their whole name', () => {
  const { request } = exchange({ cookie: 'xa=1; a=2=3; b=' })
  assert.equal(readCookie(request, 'a'), '2=3')
  assert.equal(readCookie(request, 'b'), '')
  assert.equal(readCookie(request, 'c'), undefined)
})

test('an EHR may embed where the operator names it, and nobody else', () => {
  const pages = createPages({
    issuer: 'https://fhir.example',
    frameAncestors: ['https://ehr.example'],
    theme: { name: 'x', logo: 'https://cdn.example/logo.svg' },
  })
  const policy = pages.headers['Content-Security-Policy'] ?? ''
  assert.match(policy, /frame-ancestors https:\/\/ehr\.example(;|$)/)
  assert.match(policy, /img-src 'self' data: https:\/\/cdn\.example;/)
  assert.equal(pages.headers['X-Frame-Options'], undefined)
  assert.equal(createPages({ issuer: 'https://x.example' }).headers['X-Frame-Options'], 'DENY')
})
