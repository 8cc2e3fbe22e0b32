import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldString } from '@scopegate/fhir-model'
import fc from 'fast-check'

test('case, accents and other marks fold away', () => {
  assert.equal(foldString('Ana MARÍA'), 'ana maria')
  assert.equal(foldString('Zoe\u0308'), foldString('Zo\u00eb'))
  assert.equal(foldString('İstanbul'), 'istanbul')
  assert.equal(foldString('東京'), '東京')
})

test('folding twice is folding once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(foldString(foldString(text)), foldString(text))
    }),
  )
})
