import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { remember } from './remember.ts'

test('what is remembered is what would be made', () => {
  const key = fc.constantFrom('', 'a', 'b', 'ab', '1:a', '11', ':', 'system/Patient.rs'.repeat(400))
  fc.assert(
    fc.property(fc.array(fc.tuple(key, key)), fc.integer({ min: 2, max: 6 }), (asked, size) => {
      const join = remember(size, (one, other) => JSON.stringify([one, other]))
      for (const [one, other] of asked) assert.equal(join(one, other), JSON.stringify([one, other]))
    }),
  )
})

test('it is made once while it is in use, and forgotten when it is not', () => {
  let made = 0
  const count = remember(4, (text) => {
    made += 1
    return text
  })
  for (let i = 0; i < 10; i++) {
    count('used')
    count(`other ${i}`)
  }
  assert.equal(made, 11)
  count('other 0')
  assert.equal(made, 12)
})
