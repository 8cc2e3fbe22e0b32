/**
 * A hundred patients of Synthea, which do not come with the project: runs where SCOPEGATE_REAL_DATA
 * names the folder that holds them. All of it comes in through the command line, and a token sees of
 * it what its category is.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { call, createOperator, fetchToken } from './operating/operator.ts'

const folder = process.env.SCOPEGATE_REAL_DATA
const file = resolve(folder ?? '.', 'synthea-2020-100p.ndjson.gz')
const RESOURCES = 38_472
const OBSERVATIONS = { laboratory: 7_907, 'vital-signs': 7_317 }

test('real data comes in whole, again unchanged, and is seen by category', {
  skip:
    folder === undefined
      ? 'only where SCOPEGATE_REAL_DATA names a folder with synthea-2020-100p.ndjson.gz'
      : false,
}, async () => {
  assert.ok(existsSync(file), `${join(folder ?? '', 'synthea-2020-100p.ndjson.gz')} is not there`)
  const operator = createOperator()
  const server = await operator.up({ data: 'fresh', config: operator.file('empty.yaml', '') })
  for (const [kind, other] of [
    ['in', 'unchanged'],
    ['unchanged', 'in'],
  ] as const) {
    const { code, out, err } = await operator.scopegate('import', file, '--json')
    assert.equal(code, 0, err)
    const types: Record<string, Record<string, number>> = JSON.parse(out).types
    const sum = (of: string) => Object.values(types).reduce((all, type) => all + (type[of] ?? 0), 0)
    assert.deepEqual([sum(kind), sum(other), sum('refused')], [RESOURCES, 0, 0])
  }
  for (const [category, expected] of Object.entries(OBSERVATIONS)) {
    const scope = `system/Observation.rs?category=${category}`
    const added = await operator.scopegate('client', 'add', category, '--scopes', scope, '--json')
    const { client_id: id, client_secret: secret } = JSON.parse(added.out)
    const token = await fetchToken(server.url, { id, secret }, scope)
    const found = await call({ fhir: server.fhir, token }, 'GET', 'Observation?_summary=count')
    assert.equal(found.body.total, expected, category)
  }
  assert.equal(await server.stop(), 0)
})
