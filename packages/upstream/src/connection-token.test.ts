import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ConnectionToken, type TokenSource, TokenUnavailable } from '@scopegate/oauth-model'
import {
  type Answer,
  createTokenMemory,
  type RequestToken,
  requestToken,
  type TokenMemory,
  unavailability,
} from '@scopegate/upstream'

const NOW = Date.UTC(2026, 10, 24)

function tokenSource() {
  const source = {
    renewals: 0,
    isStuck: false,
    error: undefined as unknown,
    async getToken(): Promise<ConnectionToken> {
      if (source.error !== undefined) throw source.error
      const accessToken = `token-${source.isStuck ? 0 : source.renewals}`
      return {
        ...{ accessToken, fingerprint: accessToken, type: 'Bearer', scopes: [], warnings: [] },
        expiresAt: NOW / 1000 + 300,
        headers: async () => ({ authorization: `Bearer ${accessToken}` }),
      }
    },
    async reject() {
      source.renewals += 1
    },
  }
  return source satisfies TokenSource
}

function world() {
  const source = tokenSource()
  const memory: TokenMemory = createTokenMemory()
  const clock = { nowMs: NOW }
  const request = () =>
    requestToken({
      ...{ tokens: source, connection: 'lab', method: 'GET', url: 'https://fhir.example/x' },
      ...{ memory, nowMs: () => clock.nowMs, signal: new AbortController().signal },
    })
  return { source, clock, request }
}

const answer = (status: number, canReplay = true): Answer => ({ status, headers: {}, canReplay })
const decide = async (token: RequestToken, got: Answer) =>
  (await token.reconsider(got, () => token.headers()))?.kind ?? 'pass'

/** One request whose every attempt is refused. */
async function refused(request: () => Promise<RequestToken>) {
  const token = await request()
  let attempts = 1
  while ((await decide(token, answer(401))) === 'again') attempts += 1
  return { attempts, rejection: token.rejection?.kind }
}

describe('the token of a connection, as one request uses it', () => {
  test('is replaced once after 401, and the next 401 stands', async () => {
    const { source, request } = world()
    assert.deepEqual(await refused(request), { attempts: 2, rejection: 'fresh' })
    assert.equal(source.renewals, 1)
  })

  test('that was new and refused is not replaced for a while, and then again', async () => {
    const { source, clock, request } = world()
    await refused(request)
    clock.nowMs += 29_000
    assert.deepEqual(await refused(request), { attempts: 1, rejection: 'fresh' })
    assert.equal(source.renewals, 1)
    clock.nowMs += 2000
    assert.equal((await refused(request)).attempts, 2)
    assert.equal(source.renewals, 2)
  })

  test('that was taken once may be replaced again: it was revoked since', async () => {
    const { source, request } = world()
    for (let i = 1; i <= 5; i += 1) {
      const token = await request()
      assert.equal(await decide(token, answer(401)), 'again')
      assert.equal(await decide(token, answer(200)), 'pass')
      assert.equal(token.rejection, undefined)
      assert.equal(source.renewals, i)
    }
  })

  test('is not replaced endlessly where some paths take it and others never do', async () => {
    const { source, clock, request } = world()
    for (let i = 0; i < 100; i += 1) {
      await refused(request)
      await decide(await request(), answer(200))
    }
    assert.equal(source.renewals, 10)
    assert.deepEqual(await refused(request), { attempts: 1, rejection: 'no-more-renewals' })
    clock.nowMs += 10_000
    assert.equal((await refused(request)).attempts, 2)
  })

  test('is replaced for the next request where this one cannot be sent again', async () => {
    const { source, request } = world()
    const token = await request()
    assert.equal(await decide(token, answer(401, false)), 'pass')
    assert.equal(token.rejection?.kind, 'not-replayable')
    await new Promise(setImmediate)
    assert.equal(source.renewals, 1)
    assert.equal((await request()).current.accessToken, 'token-1')
  })

  test('that cannot be replaced: the same again, or none', async () => {
    const { source, request } = world()
    source.isStuck = true
    assert.deepEqual(await refused(request), { attempts: 1, rejection: 'same-token' })
    const token = await request()
    source.error = new Error('no')
    assert.equal(await decide(token, answer(401)), 'refuse')
    assert.equal(token.rejection?.kind, 'renewal-failed')
  })

  test('is no matter of any other status', async () => {
    const { source, request } = world()
    for (const status of [200, 302, 400, 403, 404, 407, 500]) {
      assert.equal(await decide(await request(), answer(status)), 'pass')
    }
    assert.equal(source.renewals, 0)
  })
})

test('what passes by itself is 503 with a time, what somebody must do 502', () => {
  const failure = { code: 'x', cause: 'x', fix: 'x', wasSent: false } as const
  const of = (kind: 'temporary' | 'rate' | 'network' | 'configuration' | 'sign-in', at?: number) =>
    unavailability(new TokenUnavailable('lab', { ...failure, kind }, at), 1000)
  assert.deepEqual(of('temporary', 1007), { status: 503, retryAfterSeconds: 7 })
  assert.deepEqual(of('rate', 900), { status: 503, retryAfterSeconds: 1 })
  assert.deepEqual(of('network'), { status: 503, retryAfterSeconds: 5 })
  assert.deepEqual(of('configuration', 1007), { status: 502 })
  assert.deepEqual(of('sign-in'), { status: 502 })
  assert.deepEqual(unavailability(new Error('ours'), 1000), { status: 502 })
})
