import assert from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createKeySigner, readKeyMaterial } from '@scopegate/keys'
import { createLabKey, publicJwk } from '@scopegate/lab'
import { TokenUnavailable } from '@scopegate/oauth-model'
import { createMemoryTokenStore, type TokenStore } from '@scopegate/token-broker'
import { until } from './operating/operator.ts'
import { type BrokerLibraryOptions, openBrokerLibrary } from './support/open-broker-library.ts'
import { labConnection, openBrokerServer } from './support/open-broker-server.ts'

// Scenarios 9 to 11 (what is sent again, and what is shared) and 6 and 41 (changes while it runs).
async function open(t: TestContext, options: BrokerLibraryOptions) {
  const opened = await openBrokerLibrary(options)
  t.after(() => opened.close())
  return {
    ...opened,
    async refusal(): Promise<TokenUnavailable> {
      const error = await opened.broker.getToken('lab').catch((thrown: unknown) => thrown)
      assert.ok(error instanceof TokenUnavailable, String(error))
      return error
    },
  }
}

const REFRESHING: BrokerLibraryOptions = {
  lab: { refreshTokens: { rotate: true }, accessTokenSeconds: 300 },
  connections: [{ name: 'lab', grant: 'refresh_token', keepAliveHours: 0 }],
}

describe('9: a refresh token that is replaced', () => {
  test('is stored before its access token is handed out', async (t) => {
    const order: string[] = []
    const { broker, lab } = await open(t, {
      ...REFRESHING,
      store(time): TokenStore {
        const store = createMemoryTokenStore({ monotonicMs: time.monotonicMs })
        return {
          ...store,
          async saveToken(saved) {
            await new Promise((resolve) => setTimeout(resolve, 50))
            const answer = await store.saveToken(saved)
            order.push(`stored ${saved.grant === undefined ? 'without' : 'with'} refresh token`)
            return answer
          },
        }
      },
    })
    const refreshToken = lab.mintRefreshToken({ clientId: 'lab', scopes: ['a'] })
    await broker.storeGrant('lab', { refreshToken })
    await broker.getToken('lab').then(() => order.push('handed out'))
    assert.deepEqual(order, ['stored with refresh token', 'handed out'])
  })

  test('is used for the next token, for as long as anybody asks', async (t) => {
    const { broker, lab, pass } = await open(t, REFRESHING)
    const refreshToken = lab.mintRefreshToken({ clientId: 'lab', scopes: ['a'] })
    await broker.storeGrant('lab', { refreshToken })
    for (let round = 0; round < 20; round++) {
      await broker.getToken('lab')
      await pass(400)
    }
    assert.equal(lab.counts.issued, 20)
    assert.equal(lab.counts.refused, 0)
    assert.equal(new Set(lab.requests.map(({ form }) => form.refresh_token)).size, 20)
  })
})

describe('10: the connection ends before the answer came', () => {
  test('a refresh token is not sent again, and the user is asked to sign in', async (t) => {
    const { broker, refusal, lab, pass } = await open(t, REFRESHING)
    const refreshToken = lab.mintRefreshToken({ clientId: 'lab', scopes: ['a'] })
    await broker.storeGrant('lab', { refreshToken })
    lab.conditions.outage = 'answer_lost'
    const { failure } = await refusal()
    assert.equal(failure.kind, 'sign-in')
    assert.match(failure.cause, /refresh token was sent and no answer came/)
    lab.conditions.outage = undefined
    for (let hour = 0; hour < 24; hour++) {
      await pass(3600)
      await refusal()
    }
    assert.equal(lab.counts.requests, 1)

    // An operator who knows better has it tried once more: here it was used up.
    await broker.retry('lab')
    assert.equal((await refusal()).failure.kind, 'sign-in')
    assert.equal(lab.counts.requests, 2)
    const next = lab.mintRefreshToken({ clientId: 'lab', scopes: ['a'] })
    await broker.storeGrant('lab', { refreshToken: next })
    await broker.getToken('lab')
  })

  test('an outage that answers leaves the refresh token as it is', async (t) => {
    const { broker, refusal, lab, pass } = await open(t, REFRESHING)
    const refreshToken = lab.mintRefreshToken({ clientId: 'lab', scopes: ['a'] })
    await broker.storeGrant('lab', { refreshToken })
    lab.conditions.outage = 'unavailable'
    assert.equal((await refusal()).failure.kind, 'temporary')
    lab.conditions.outage = undefined
    await pass(120)
    await broker.getToken('lab')
  })

  test('client credentials are sent again with another `jti`, which a server that remembers takes', async (t) => {
    const key = createLabKey('ES384')
    const signer = createKeySigner(readKeyMaterial({ text: JSON.stringify(key), name: 'the key' }))
    const { broker, refusal, lab, pass } = await open(t, {
      lab: { clients: [{ clientId: 'lab', keys: [publicJwk(key)], redirectUris: [] }] },
      credentials: { signer: async () => signer },
    })
    lab.conditions.outage = 'answer_lost'
    const { failure } = await refusal()
    assert.deepEqual([failure.kind, failure.wasSent], ['network', true])
    lab.conditions.outage = undefined
    await pass(2)
    await broker.getToken('lab')
    const ids = lab.requests.map(({ assertion }) => assertion?.claims.jti)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(lab.counts.refused, 0)
  })
})

test('11: callers who want different things never share a token', async (t) => {
  const { broker, lab, time } = await open(t, {
    lab: { refreshTokens: {} },
    connections: [
      {
        name: 'lab',
        scopes: ['a', 'b', 'ab', 'bc', 'c'],
      },
      { name: 'la', scopes: ['b'], clientId: 'lab' },
    ],
  })
  const wishes = [
    ['lab', { scopes: ['a', 'bc'] }],
    ['lab', { scopes: ['ab', 'c'] }],
    ['lab', { scopes: ['a', 'b', 'c'] }],
    ['lab', { scopes: ['a'] }],
    ['lab', { scopes: ['a'], audience: 'x' }],
    ['lab', { scopes: ['a'], audience: 'x,y' }],
    ['lab', { scopes: ['a'], audience: '["x","y"]' }],
    ['lab', { scopes: ['b'] }],
    ['la', { scopes: ['b'] }],
    ['lab', {}],
  ] as const
  const ask = () =>
    Promise.all(wishes.map(async ([name, wish]) => (await broker.getToken(name, wish)).fingerprint))
  const first = await ask()
  assert.equal(new Set(first).size, wishes.length)
  assert.equal(lab.counts.requests, wishes.length)
  await time.pass(10)
  assert.deepEqual(await ask(), first)
  // Order and repetition say nothing.
  const { fingerprint } = await broker.getToken('lab', { scopes: ['bc', 'a', 'bc'] })
  assert.equal(fingerprint, first[0])
})

describe('changes while the server runs', { timeout: 120_000 }, () => {
  test('41: a connection that is gone has no token, and one with other scopes none of the old', async (t) => {
    const { server, lab, resource, out, token, close } = await openBrokerServer({
      connections: (lab, resource) =>
        ['stays', 'changes', 'goes']
          .map((name) => labConnection(lab, resource, { name, more: [`clientId: ${name}`] }))
          .join('\n'),
    })
    t.after(close)
    for (const name of ['stays', 'changes', 'goes']) {
      assert.equal((await out(`${name}/Patient/1`)).status, 200)
    }
    const before = await token('changes')
    const text = readFileSync(server.configFile, 'utf8')
    const start = text.indexOf('  - name: goes')
    const changed = text
      .slice(0, start)
      .replace(/(name: changes[\s\S]*?scopes: )\[[^\]]*\]/, '$1[system/Observation.rs]')
    writeFileSync(`${server.configFile}.new`, changed)
    renameSync(`${server.configFile}.new`, server.configFile)
    await server.reload()
    await until(
      () => out('goes/Patient/1'),
      ({ status }) => status === 404,
    )
    assert.equal((await token('goes')).status, 404)
    const after = await token('changes')
    assert.equal(after.json.scope, 'system/Observation.rs')
    assert.notEqual(after.json.access_token, before.json.access_token)
    resource.forget()
    assert.equal((await out('changes/Patient/1')).status, 200)
    assert.equal((await out('stays/Patient/1')).status, 200)
    assert.deepEqual(
      lab.requests.map(({ form }) => form.scope),
      [...Array(3).fill('system/Patient.rs'), 'system/Observation.rs'],
    )

    // And back again: nothing of what was before is found.
    writeFileSync(`${server.configFile}.new`, text)
    renameSync(`${server.configFile}.new`, server.configFile)
    await server.reload()
    await until(
      () => out('goes/Patient/1'),
      ({ status }) => status === 200,
    )
  })

  test('6: a refused secret is not sent again, and the new one as soon as its file holds it', async (t) => {
    const secretFile = () => join(server.configFile, '../lab-secret')
    const { server, lab, out, status, close } = await openBrokerServer({
      lab: {
        clients: [{ clientId: 'lab-reader', secret: 'the-right-one-81c5', redirectUris: [] }],
      },
      environment: { LAB_SECRET: 'the-wrong-one-3fb0' },
    })
    t.after(close)
    for (let call = 0; call < 20; call++) {
      const answer = await out('lab/Patient/1')
      assert.equal(answer.status, 502)
      assert.match(await answer.text(), /refuses/)
    }
    assert.equal(lab.counts.requests, 1)
    const { state, lastFailure } = await status()
    assert.deepEqual([state, lastFailure?.kind], ['open', 'configuration'])

    writeFileSync(secretFile(), 'the-right-one-81c5\n')
    const text = readFileSync(server.configFile, 'utf8')
    writeFileSync(
      `${server.configFile}.new`,
      text.replace('env:LAB_SECRET', `file:${secretFile()}`),
    )
    renameSync(`${server.configFile}.new`, server.configFile)
    await server.reload()
    await until(
      () => out('lab/Patient/1'),
      ({ status }) => status === 200,
    )
    assert.equal(lab.counts.requests, 2)

    // Then the file alone: the token lives on, and the next one is got with the new secret.
    lab.forget()
    writeFileSync(secretFile(), 'the-wrong-one-again\n')
    await server.reload()
    lab.revokeAccessTokens()
    await out('lab/Patient/1')
    assert.ok(lab.counts.refused >= 1)
    writeFileSync(secretFile(), 'the-right-one-81c5\n')
    await server.reload()
    await until(
      () => out('lab/Patient/1'),
      ({ status }) => status === 200,
    )
  })
})
