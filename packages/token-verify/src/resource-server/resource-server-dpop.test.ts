import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { createResourceServer, type PresentableRequest } from '@scopegate/token-verify'
import { jwkThumbprint } from '../jwk-thumbprint.ts'

// Tokens bound to a key, through the library that an app uses in its own process: whatever hands it
// the request, the proof must be for this request and works once.
const API = 'https://api.example/v1'
const key = createLabKey('ES256')
const server = createServer((request, response) => {
  const metadata = { issuer, jwks_uri: `${issuer}/keys` }
  response.end(JSON.stringify(request.url === '/keys' ? lab.keySet : metadata))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
after(() => server.close())
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const lab = createLabIssuer({ issuer, keys: [key] })

const api = createResourceServer({ issuer, audience: API, url: API })
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = publicKey.export({ format: 'jwk' })
const jkt = jwkThumbprint(jwk as Record<string, unknown>)
const bound = () => lab.mintToken({ audience: API, scope: 'bank.read', claims: { cnf: { jkt } } })

/** @see RFC 9449 §4.2 */
function proofOf(token: string, method: string, url: string, key = privateKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const ath = createHash('sha256').update(token).digest('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const input = `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk })}.${part({ jti: randomUUID(), htm: method, htu: url, iat, ath })}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** The same request, as each kind of framework hands it over. */
const HANDED: Readonly<
  Record<string, (headers: Record<string, string>) => Promise<PresentableRequest>>
> = {
  'a Request, as Hono has it': async (headers) =>
    new Request('http://10.0.0.3:3000/accounts/7?full=1', { headers }),
  'an IncomingMessage of Node': (headers) => received('/accounts/7?full=1', headers),
  'what Express makes of it, behind a router': async (headers) => {
    const request = await received('/accounts/7?full=1', headers)
    return Object.assign(request, { originalUrl: request.url, url: '/7?full=1' })
  },
  'what Fastify makes of it': async (headers) => {
    const raw = await received('/accounts/7?full=1', headers)
    return { method: 'GET', url: raw.url, headers: raw.headers, raw }
  },
}

async function received(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
  const own = createServer((request, response) => {
    resolve(request)
    response.end()
  })
  own.listen(0, '127.0.0.1')
  await once(own, 'listening')
  const { port } = own.address() as AddressInfo
  send({ port, host: '127.0.0.1', path, headers }, (answer) => answer.resume()).end()
  const request = await promise
  own.close()
  return request
}

const AT = `${API}/accounts/7`
const dpop = (token: string, proof: string) => ({ authorization: `DPoP ${token}`, dpop: proof })

for (const [what, hand] of Object.entries(HANDED)) {
  describe(`a bound token in ${what}`, () => {
    const judge = async (headers: Record<string, string>) =>
      api.authenticate(await hand(headers), { scopes: ['bank.read'] })
    const code = async (headers: Record<string, string>) => {
      const answer = await judge(headers)
      assert.ok(!answer.ok, 'it was let in')
      assert.equal(answer.status, 401)
      return answer.checks.find(({ outcome }) => outcome === 'fail')?.code
    }

    test('is taken with a proof for this request, once', async () => {
      const token = bound()
      const headers = dpop(token, proofOf(token, 'GET', AT))
      const answer = await judge(headers)
      assert.ok(answer.ok, JSON.stringify(answer.ok ? '' : answer.problem))
      assert.equal(await code(headers), 'dpop_proof_replayed')
    })

    test('is refused without the proof, as Bearer, and with a proof for anything else', async () => {
      const token = bound()
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      assert.match(String(await code({ authorization: `DPoP ${token}` })), /^dpop_/)
      assert.match(String(await code({ authorization: `Bearer ${token}` })), /dpop|binding/)
      for (const proof of [
        proofOf(token, 'POST', AT),
        proofOf(token, 'GET', `${API}/accounts/8`),
        proofOf(token, 'GET', 'http://10.0.0.3:3000/accounts/7'),
        proofOf(bound(), 'GET', AT),
        proofOf(token, 'GET', AT, other),
        `${proofOf(token, 'GET', AT)}, ${proofOf(token, 'GET', AT)}`,
      ]) {
        assert.match(String(await code(dpop(token, proof))), /^dpop_/)
      }
    })
  })
}

describe('what callers are told', () => {
  test('an API that knows its own URL offers DPoP, and says under it what was wrong', async () => {
    const bare = await api.authenticate(new Request(AT))
    assert.ok(!bare.ok)
    assert.match(String(bare.headers['WWW-Authenticate']), /DPoP .*algs="[^"]*ES256/)
    const token = bound()
    const wrong = await api.authenticate(
      new Request(AT, { headers: dpop(token, proofOf(token, 'PUT', AT)) }),
    )
    assert.ok(!wrong.ok)
    assert.match(String(wrong.headers['WWW-Authenticate']), /^DPoP .*error="invalid_dpop_proof"/)
  })

  test('without its own URL bound tokens are refused, with whatever proof', async () => {
    const plain = createResourceServer({ issuer, audience: API })
    const token = bound()
    const answer = await plain.authenticate(
      new Request(AT, { headers: dpop(token, proofOf(token, 'GET', AT)) }),
    )
    assert.ok(!answer.ok)
    assert.equal(answer.status, 401)
  })
})
