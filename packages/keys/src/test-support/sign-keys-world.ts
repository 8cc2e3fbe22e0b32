import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  type ClaimTemplate,
  createSignKeys,
  type KeyAnswer,
  type SignAnswer,
} from '@scopegate/keys'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import { createLocalJWKSet, jwtVerify } from 'jose'

export const storage = await testStorage()
export const sealer = createSealer([{ id: 'aaaaaaaa', key: Buffer.alloc(32, 7) }])
export const clock = { ms: 1_800_000_000_000 }

export const open = (limit?: Parameters<typeof createSignKeys>[0]['limit']) =>
  createSignKeys({
    pool: storage.pool,
    transaction: storage.transaction,
    sealer,
    nowMs: () => clock.ms,
    newId: randomUUID,
    jwksUrl: (name) => `https://gate.example/keys/${name}/jwks.json`,
    ...(limit && { limit }),
  })
export const keys = open()
/** Another process on the same database. */
export const elsewhere = open()

export const template: ClaimTemplate = {
  issuer: 'partner-1',
  subjects: ['partner-1'],
  audiences: ['https://idp.example/token'],
  maxSeconds: 300,
}
export const holder = { kind: 'client', name: 'app-lab' } as const
export const caller = { clientId: 'app-lab', roles: [] }

export function done<Value>(answer: KeyAnswer<Value>): Value {
  assert.ok(answer.ok, JSON.stringify(answer))
  return answer
}

export function signed(answer: SignAnswer): Extract<SignAnswer, { ok: true }> {
  assert.ok(answer.ok, JSON.stringify(answer))
  return answer
}

let count = 0
export async function generated(grant: ClaimTemplate = template) {
  const name = `made-${++count}`
  done(await keys.add({ name, generate: 'ec-p256', algorithms: ['ES256'] }))
  done(await keys.grant(name, holder, grant))
  return name
}

/** As a partner does, with the published key set of another server. */
export async function verify(name: string, jwt: string) {
  const jwks = await elsewhere.jwks(name)
  assert.ok(jwks)
  return jwtVerify(jwt, createLocalJWKSet(jwks as never), { currentDate: new Date(clock.ms) })
}
