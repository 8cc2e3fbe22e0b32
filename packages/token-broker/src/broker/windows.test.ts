import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { phaseAt, windowsOf } from '@scopegate/token-broker'
import fc from 'fast-check'

const SECOND_MS = 1000
const life = fc.double({ min: 1, max: 86_400_000, noNaN: true })
const jitter = fc.double({ min: -1, max: 1, noNaN: true })
const refreshInMs = fc.option(fc.double({ min: -1000, max: 200_000_000, noNaN: true }), {
  nil: undefined,
})

/** Seconds before the end: renewed in the background from, waited for from. */
const CASES = [
  [3600, 600, 60],
  [86_400, 600, 60],
  [570, 114, 28.5],
  [300, 60, 15],
  [60, 30, 5],
  [59, 29.5, 11.8],
  [30, 15, 6],
  [2, 1, 0.4],
] as const

describe('when a token is renewed', () => {
  for (const [lifeSeconds, soft, hard] of CASES) {
    test(`one of ${lifeSeconds} s: from ${soft} s before its end, waited for from ${hard} s`, () => {
      const windows = windowsOf(lifeSeconds * SECOND_MS)
      const near = (ms: number, seconds: number) =>
        assert.ok(Math.abs(windows.lifeMs - ms - seconds * SECOND_MS) < 1e-6, `${ms}`)
      near(windows.softMs, soft)
      near(windows.hardMs, hard)
    })
  }

  test('never waited for before it is due, and both before its end', () => {
    fc.assert(
      fc.property(life, jitter, refreshInMs, (lifeMs, jitter, refreshInMs) => {
        const options = { jitter, ...(refreshInMs !== undefined && { refreshInMs }) }
        const { softMs, hardMs } = windowsOf(lifeMs, options)
        assert.ok(softMs > 0 && softMs <= hardMs && hardMs < lifeMs, `${softMs} ${hardMs}`)
      }),
    )
  })

  test('moved by jitter by a tenth of the distance from the end at most', () => {
    fc.assert(
      fc.property(life, jitter, (lifeMs, jitter) => {
        const plain = lifeMs - windowsOf(lifeMs).softMs
        const moved = lifeMs - windowsOf(lifeMs, { jitter }).softMs
        assert.ok(Math.abs(moved - plain) <= plain * 0.1 + 1e-6)
      }),
    )
  })

  test('never later because the provider wants it renewed', () => {
    fc.assert(
      fc.property(life, jitter, refreshInMs, (lifeMs, jitter, refreshInMs) => {
        const plain = windowsOf(lifeMs, { jitter })
        const wished = windowsOf(lifeMs, {
          jitter,
          ...(refreshInMs !== undefined && { refreshInMs }),
        })
        const slackMs = (lifeMs - plain.softMs) * 0.25
        assert.ok(wished.softMs <= plain.softMs + slackMs)
      }),
    )
    assert.equal(windowsOf(7200_000, { refreshInMs: 3600_000 }).softMs, 3600_000)
  })

  test('its phases follow each other and none comes back', () => {
    const order = ['fresh', 'due', 'overdue', 'expired']
    fc.assert(
      fc.property(life, jitter, fc.array(life, { minLength: 2 }), (lifeMs, jitter, ages) => {
        const windows = windowsOf(lifeMs, { jitter })
        const seen = ages.toSorted((a, b) => a - b).map((age) => phaseAt(windows, age))
        const ranks = seen.map((phase) => order.indexOf(phase))
        assert.deepEqual(
          ranks,
          ranks.toSorted((a, b) => a - b),
        )
        assert.equal(phaseAt(windows, lifeMs), 'expired')
      }),
    )
  })
})
