import { type KeyObject, randomUUID, sign } from 'node:crypto'
import type { Json } from './tokens.ts'

/** A signed statement by which a client proves itself. */
export interface ClientAssertion {
  readonly header: Json
  readonly claims: Json
  readonly text: string
}

/** ES384, as SMART asks for; good for four minutes and for one request. */
export function makeAssertion(options: {
  readonly privateKey: KeyObject
  readonly kid: string
  readonly clientId: string
  readonly tokenEndpoint: string
}): ClientAssertion {
  const { privateKey, kid, clientId, tokenEndpoint } = options
  const now = Math.floor(Date.now() / 1000)
  const header = { alg: 'ES384', kid, typ: 'JWT' }
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: tokenEndpoint,
    iat: now,
    exp: now + 240,
    jti: randomUUID(),
  }
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha384', Buffer.from(input), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return { header, claims, text: `${input}.${signature.toString('base64url')}` }
}
