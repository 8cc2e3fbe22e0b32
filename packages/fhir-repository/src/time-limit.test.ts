import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SearchRefused } from '@scopegate/fhir-model'
import type { Storage } from '@scopegate/storage'
import { createFhirRepository } from './index.ts'
import { FULL, searchFor, submitted, testRepository } from './testing/test-repository.ts'

const LIMIT_MS = 300
const patient = { resourceType: 'Patient', id: 'p1' }
const key = { type: 'Patient', id: 'p1' }

const limited = (storage: Storage) =>
  createFhirRepository({
    storage,
    now: Date.now,
    newId: () => crypto.randomUUID(),
    limits: { answerMs: LIMIT_MS },
  })

const tooCostly = (error: unknown) =>
  error instanceof SearchRefused && error.reason === 'too-costly' && /0\.3 s/.test(error.message)

/** As long as `work` takes, nobody else gets at the strings that searches look at. */
async function whileSlow(storage: Storage, work: () => Promise<void>): Promise<void> {
  await storage.transaction(async (client) => {
    await client.query('lock table ix_str in access exclusive mode')
    await work()
  })
}

test('a search, its count and its joins end in time, leave nothing running and hurt nobody else', async (t) => {
  const { storage, put } = await testRepository(t)
  await put(patient)
  const repository = limited(storage)
  const texts = [
    'name=x',
    'name:contains=x&_summary=count',
    'general-practitioner:Practitioner.name=x',
  ]
  await whileSlow(storage, async () => {
    const searches = texts.map((text) => repository.search(searchFor('Patient', text), FULL))
    for (const one of searches) one.catch(() => {})
    await sleep(50)
    const others = Array.from({ length: 12 }, () =>
      repository.search(searchFor('Patient', 'name=x'), FULL),
    )
    const ended = Promise.allSettled([...searches, ...others])
    // While they hold what connections they may have, reads go on.
    assert.equal((await repository.read(key, FULL)).kind, 'done')
    for (const [i, result] of (await ended).entries()) {
      assert.equal(result.status, 'rejected')
      if (i < texts.length) assert.ok(tooCostly(result.reason), texts[i])
    }
    const { rows } = await storage.pool.query(
      "select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    assert.deepEqual(rows, [])
  })
  for (const text of texts) await repository.search(searchFor('Patient', text), FULL)
})

test('a search in a transaction that takes too long undoes it; its other statements are not limited', async (t) => {
  const { storage, put } = await testRepository(t)
  await put(patient)
  const repository = limited(storage)
  const update = {
    kind: 'update' as const,
    key,
    submitted: submitted({ ...patient, active: true }),
    options: { updateCreate: false },
  }
  const query = searchFor('Patient', 'family:contains=x')
  // A read lock lets nothing but writes wait.
  await storage.transaction(async (client) => {
    await client.query('lock table res in share mode')
    const waiting = repository.transaction([update], FULL)
    await sleep(2 * LIMIT_MS)
    await client.query('rollback')
    assert.equal((await waiting).kind, 'done')
    await client.query('begin')
  })
  await whileSlow(storage, async () => {
    await assert.rejects(
      repository.transaction([{ kind: 'search', query }], FULL),
      (error: unknown) => tooCostly(error),
    )
  })
  const answer = await repository.transaction([update, { kind: 'search', query }], FULL)
  assert.equal(answer.kind, 'done')
  const read = await repository.read(key, FULL)
  assert.ok(read.kind === 'done' && read.version.versionId === 3)
})
