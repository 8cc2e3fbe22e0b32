import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSealer, UnsealError } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import { createModelStore } from './model-store.ts'

const { pool } = await testStorage()
const sealer = createSealer([{ id: 'testtest', key: Buffer.alloc(32, 7) }])
const models = createModelStore({ pool, sealer, userCodeKey: Buffer.alloc(32, 1) })

test('what was stored is found by what somebody holds, and by nothing else', async () => {
  const payload = { clientId: 'c', grantId: 'g', scope: 'openid', exp: 1 }
  await models.upsert('AuthorizationCode', 'value', payload, 60)
  assert.deepEqual(await models.find('AuthorizationCode', 'value'), payload)
  assert.equal(await models.find('AuthorizationCode', 'Value'), undefined)
  assert.equal(await models.find('RefreshToken', 'value'), undefined, 'of another kind')
  await models.destroy('AuthorizationCode', 'value')
  assert.equal(await models.find('AuthorizationCode', 'value'), undefined)
})

test('what was consumed stays so, though it is stored again', async () => {
  await models.upsert('DeviceCode', 'd', { userCode: 'BCDFGHJK' }, 60)
  assert.equal(await models.consume('DeviceCode', 'd'), true)
  assert.equal(await models.consume('DeviceCode', 'd'), false)
  await models.upsert('DeviceCode', 'd', { userCode: 'BCDFGHJK', accountId: 'u' }, 60)
  const found = await models.find('DeviceCode', 'd')
  assert.equal(found?.accountId, 'u')
  assert.ok(typeof found?.consumed === 'number')
  assert.equal(await models.consume('DeviceCode', 'd'), false)
})

test('of many at once one consumes', async () => {
  await models.upsert('RefreshToken', 'r', { grantId: 'g2' }, 60)
  const won = await Promise.all(
    Array.from({ length: 30 }, () => models.consume('RefreshToken', 'r')),
  )
  assert.equal(won.filter(Boolean).length, 1)
})

test('what has expired is gone before it is deleted', async () => {
  await models.upsert('Session', 's', { uid: 'u1' }, 60)
  await models.upsert('DeviceCode', 'e', { userCode: 'LMNPQRST' }, 60)
  assert.ok(await models.findByUid('Session', 'u1'))
  assert.ok(await models.findByUserCode('DeviceCode', 'LMNPQRST'))
  await pool.query('UPDATE engine_model SET expires_at = now()')
  assert.equal(await models.find('Session', 's'), undefined)
  assert.equal(await models.findByUid('Session', 'u1'), undefined)
  assert.equal(await models.findByUserCode('DeviceCode', 'LMNPQRST'), undefined)
  assert.equal(await models.consume('DeviceCode', 'e'), false)
})

test('all of a grant is revoked together, and nothing of another', async () => {
  await models.upsert('RefreshToken', 'a', { grantId: 'one' }, 60)
  await models.upsert('RefreshToken', 'b', { grantId: 'two' }, 60)
  await models.upsert('AccessToken', 'c', { grantId: 'one' }, 60)
  await models.revokeByGrantId('RefreshToken', 'one')
  assert.equal(await models.find('RefreshToken', 'a'), undefined)
  assert.ok(await models.find('RefreshToken', 'b'))
  assert.ok(await models.find('AccessToken', 'c'))
})

test('a row that was moved or altered is not believed', async () => {
  await models.upsert('RefreshToken', 'mine', { clientId: 'me', grantId: 'x' }, 60)
  await models.upsert('RefreshToken', 'theirs', { clientId: 'them', grantId: 'y' }, 60)
  await pool.query(
    `UPDATE engine_model SET payload = (SELECT payload FROM engine_model WHERE grant_id = 'y')
      WHERE grant_id = 'x'`,
  )
  await assert.rejects(models.find('RefreshToken', 'mine'), UnsealError)
})
