import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdminEvent } from '@scopegate/audit'
import type { RegistrationEvent } from '@scopegate/authorization-server'
import { recordRegistration } from './record-registration.ts'

const event: RegistrationEvent = {
  atMs: 1,
  correlationId: 'id',
  address: '127.0.0.1',
  action: 'client.register',
  status: 201,
  clientId: 'app',
  tokenId: 't1',
}

async function record(more: Partial<RegistrationEvent>) {
  const audited: AdminEvent[] = []
  const logged: object[] = []
  await recordRegistration(
    { ...event, ...more },
    {
      adminAudit: { record: async (entry) => void audited.push(entry) },
      log: { info: (fields) => logged.push(fields) },
      issuer: 'https://gate.example',
    },
  )
  return { audited, logged }
}

test('registrations, changes and removals are audited with who allowed them', async () => {
  const { audited, logged } = await record({})
  const [entry] = audited
  assert.deepEqual(
    [entry?.action, entry?.decision, entry?.target, entry?.detail],
    ['client.register', 'permitted', 'client/app', { by: 'registration-token/t1' }],
  )
  assert.deepEqual(logged, [])
})

test('a refusal is audited and logged; what nobody sent is only logged; reading is neither', async () => {
  const refusal = { status: 400, error: 'invalid_redirect_uri', description: 'its host' }
  const known = await record(refusal)
  assert.deepEqual([known.audited[0]?.decision, known.logged.length], ['refused', 1])
  const { clientId: _, tokenId: __, ...anonymous } = event
  const audited: AdminEvent[] = []
  const logged: object[] = []
  await recordRegistration(
    { ...anonymous, status: 401, error: 'invalid_token' },
    {
      adminAudit: { record: async (entry) => void audited.push(entry) },
      log: { info: (fields) => logged.push(fields) },
      issuer: 'https://gate.example',
    },
  )
  assert.deepEqual([audited.length, logged.length], [0, 1])
  assert.deepEqual(await record({ action: 'client.read', status: 200 }), {
    audited: [],
    logged: [],
  })
})

test('what cannot be audited is an error, so that it is not answered as done', async () => {
  const failing = {
    adminAudit: { record: () => Promise.reject(new Error('the disk is full')) },
    log: { info: () => undefined },
    issuer: 'https://gate.example',
  }
  await assert.rejects(recordRegistration(event, failing), /disk is full/)
})
