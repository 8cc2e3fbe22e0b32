import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { until } from './operating/operator.ts'
import { labConnection, openBrokerServer } from './support/open-broker-server.ts'

// Walk-through 8: call the FHIR server and never think about tokens.
/** How far the clock of the provider, who also judges for the resource, is behind the one here. */
let labIsLateSeconds = 0
const NAMES = ['many', 'early', 'revoked', 'stubborn', 'posts', 'down', 'shared'] as const
const { server, lab, resource, out, status, token, close } = await openBrokerServer({
  lab: { now: () => Math.floor(Date.now() / 1000) - labIsLateSeconds },
  connections: (lab, resource) =>
    [
      // Of each its own client, so that what happens to one says nothing about the next.
      ...NAMES.map((name) => labConnection(lab, resource, { name, more: [`clientId: ${name}`] })),
      labConnection(lab, resource, { name: 'scope-a', more: ['clientId: two', 'scopes: [a]'] }),
      labConnection(lab, resource, { name: 'scope-b', more: ['clientId: two', 'scopes: [b]'] }),
    ].join('\n'),
})
after(close)
beforeEach(() => {
  Object.assign(lab.conditions, { outage: undefined, delayMs: 0, accessTokenSeconds: undefined })
  resource.refusals = 0
  labIsLateSeconds = 0
  lab.forget()
  resource.forget()
})

const tokensUsed = () => new Set(resource.requests.map(({ tokenFingerprint }) => tokenFingerprint))

test('8.1: 500 concurrent calls are one token request, and all are answered', async () => {
  lab.conditions.delayMs = 300
  const answers = await Promise.all(
    Array.from({ length: 500 }, async () => {
      const answer = await out('many/Patient/1')
      return { status: answer.status, body: (await answer.json()) as { id?: string } }
    }),
  )
  assert.deepEqual(
    [...new Set(answers.map(({ status, body }) => `${status} ${body.id}`))],
    ['200 1'],
  )
  assert.equal(lab.counts.requests, 1)
  assert.equal(resource.counts.served, 500)
  assert.equal(tokensUsed().size, 1)
  assert.ok(resource.requests.every(({ authorizations }) => authorizations === 1))
})

test('8.2: a token is renewed before it ends, and no call waits for that', async () => {
  lab.conditions.accessTokenSeconds = 10
  assert.equal((await out('early/Patient/1')).status, 200)
  await until(
    () => status('early'),
    ({ state }) => state === 'due',
  )
  const release = lab.hold()
  for (let call = 0; call < 5; call++) assert.equal((await out('early/Patient/1')).status, 200)
  await until(
    () => lab.counts.inFlight,
    (inFlight) => inFlight === 1,
  )
  assert.equal(tokensUsed().size, 1, 'the token before serves on')
  release()
  await until(
    () => lab.counts.issued,
    (issued) => issued === 2,
  )
  await until(
    async () => {
      assert.equal((await out('early/Patient/1')).status, 200)
      return tokensUsed().size
    },
    (size) => size === 2,
  )
  assert.equal(lab.counts.requests, 2)
})

describe('8.3: a token that was revoked', () => {
  test('is replaced once, and the call is answered', async () => {
    await out('revoked/Patient/1')
    lab.revokeAccessTokens()
    const answers = await Promise.all(Array.from({ length: 20 }, () => out('revoked/Patient/1')))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(lab.counts.requests, 2)
  })

  test('a second refusal in a row is passed on, and says why', async () => {
    await out('stubborn/Patient/1')
    resource.refusals = Number.POSITIVE_INFINITY
    const answer = await out('stubborn/Patient/1')
    assert.equal(answer.status, 401)
    assert.match(answer.headers.get('scopegate-diagnosis') ?? '', /upstream_rejected_fresh_token/)
    assert.match(answer.headers.get('www-authenticate') ?? '', /invalid_token/)
    for (let call = 0; call < 10; call++) await out('stubborn/Patient/1')
    assert.equal(lab.counts.requests, 2, 'a resource that refuses everything causes no storm')
  })

  test('a body that was kept is sent again, byte for byte; a long one is not, and the next call works', async () => {
    await out('posts/Patient/1')
    lab.revokeAccessTokens()
    const short = await out('posts/Patient', { method: 'POST', body: 'x'.repeat(2000) })
    assert.equal(short.status, 200)
    assert.equal(((await short.json()) as { body: { bytes: number } }).body.bytes, 2000)

    lab.revokeAccessTokens()
    const body = 'x'.repeat(20_000_000)
    const long = await out('posts/Patient', { method: 'POST', body })
    assert.equal(long.status, 401)
    assert.ok(long.headers.get('scopegate-diagnosis'))
    await until(
      () => lab.counts.issued,
      (issued) => issued === 3,
    )
    assert.equal((await out('posts/Patient', { method: 'POST', body })).status, 200)
  })
})

test('8.4: other scopes are another token, and neither replaces the other', async () => {
  for (let round = 0; round < 3; round++) {
    assert.equal((await out('scope-a/Patient/1')).status, 200)
    assert.equal((await out('scope-b/Patient/1')).status, 200)
  }
  assert.deepEqual(
    lab.requests.map(({ form }) => form.scope),
    ['a', 'b'],
  )
  assert.equal(tokensUsed().size, 2)
})

test('8.5: while the provider is down a token serves until its end, then nothing is sent', async () => {
  lab.conditions.accessTokenSeconds = 4
  assert.equal((await out('down/Patient/1')).status, 200)
  lab.conditions.outage = 'unavailable'
  // A request may be on its way while its token ends here; there it is good for long yet.
  labIsLateSeconds = 600
  const late = await until(
    async () => {
      const answer = await out('down/Patient/1')
      const known = await status('down')
      // As long as it lives, every call is answered.
      assert.ok(answer.status === 200 || known.state === 'expired' || known.state === 'open')
      return answer
    },
    (answer) => answer.status === 503,
  )
  assert.match(late.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.ok(Number(late.headers.get('retry-after')) > 0)
  const served = resource.requests.length
  const attempts = lab.counts.requests
  const crowd = await Promise.all(Array.from({ length: 50 }, () => out('down/Patient/1')))
  assert.deepEqual([...new Set(crowd.map(({ status }) => status))], [503])
  assert.equal(resource.requests.length, served, 'nothing was sent')
  assert.equal(resource.counts.refused, 0)
  // A slow machine may see the next attempts meanwhile, not one for each caller.
  assert.ok(lab.counts.requests <= attempts + 5, 'a crowd does not make more attempts')

  const { lastFailure, hits, fetches, failures, nextAttemptAt } = await status('down')
  assert.equal(lastFailure?.kind, 'temporary')
  assert.equal(lastFailure?.provider?.status, 503)
  assert.ok(hits > 0 && fetches === 1 && failures > 0)
  assert.ok(nextAttemptAt)

  lab.conditions.outage = undefined
  labIsLateSeconds = 0
  await server.admin('POST', '/connections/down/retry', {})
  assert.equal((await out('down/Patient/1')).status, 200)
})

test('8.6: another process uses the token that is there, and so does one that starts later', async () => {
  assert.equal((await out('shared/Patient/1')).status, 200)
  for (let start = 0; start < 2; start++) {
    const sibling = await server.sibling()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${sibling.listenUrl}/out/shared/Patient/1`)),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    await sibling.close()
  }
  assert.equal(lab.counts.requests, 1)
  assert.equal(tokensUsed().size, 1)
  const handed = await token('shared')
  assert.equal(handed.status, 200)
  assert.equal(lab.counts.requests, 1)
})
