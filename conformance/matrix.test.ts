import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { FIXTURE, observation } from './fixture.ts'
import type { Row } from './matrix/row.ts'
import { runRow, stepsFor } from './matrix/run-row.ts'
import { openHarness } from './open-harness.ts'
import { steadyAnswer } from './steady-answer.ts'

// The rows of enforcement.md, Part D, over HTTP against a running server, and further ones (`A-x1`)
// that the same rules ask for. Of sections G to K those that need nothing of a later issue.
const FILES = [
  'a-tokens',
  'b-read',
  'c-search',
  'd-joins',
  'e-paging',
  'f-writes',
  'g-refused',
  'h-bundles',
  'j-contexts',
  'k-http',
]

const harness = await openHarness()

describe('adversarial matrix', () => {
  before(() => harness.reset(FIXTURE))
  after(() => harness.close())

  for (const file of FILES)
    describe(file, () => {
      for (const row of rowsOf(file))
        test(`${row.id} ${row.title}`, async () => {
          const isSpecial = row.policy !== undefined || row.also !== undefined
          if (isSpecial) await harness.reset(stepsFor(row, harness), row.policy)
          try {
            await runRow(harness, row)
          } finally {
            if (isSpecial || row.changes === true) await harness.reset(FIXTURE)
          }
        })
    })

  test('E-13 five hundred hidden resources change no answer', async () => {
    const rows = [...rowsOf('e-paging'), ...rowsOf('c-search')].filter(({ id }) =>
      /^(E-0[124]|C-0|C-1)/.test(id),
    )
    const searches = rows.flatMap(({ scope, steps }) =>
      steps
        .filter(({ request, body }) => request.startsWith('GET ') && body === undefined)
        .map(({ request }) => ({ scope: scope!, request })),
    )
    const ask = async () =>
      Promise.all(
        searches.map(async ({ scope, request }) =>
          steadyAnswer(harness, { scope, patient: 'P1' }, request.split(' ')[1]!),
        ),
      )
    const bare = await ask()
    try {
      await harness.reset([...FIXTURE, ...hidden(500)])
      const crowded = await ask()
      for (const [index, search] of searches.entries())
        assert.equal(crowded[index], bare[index], search.request)
    } finally {
      await harness.reset(FIXTURE)
    }
  })
})

function rowsOf(file: string): readonly Row[] {
  return JSON.parse(
    readFileSync(new URL(`./matrix/${file}.json`, import.meta.url), 'utf8'),
  ) as Row[]
}

/** Resources that no scope of the searches fits: another patient, or another category. */
function hidden(
  count: number,
): readonly { kind: 'put'; resource: ReturnType<typeof observation> & { id: string } }[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `hidden-${index}`
    const words =
      index % 2 === 0
        ? { patient: 'P2', categories: ['laboratory'] }
        : { patient: 'P1', categories: ['survey'] }
    return { kind: 'put' as const, resource: { ...observation({ id, ...words }), id } }
  })
}
