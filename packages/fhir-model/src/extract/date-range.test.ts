import assert from 'node:assert/strict'
import { test } from 'node:test'
import { searchDateRange, storedDateRange } from '@scopegate/fhir-model'
import fc from 'fast-check'

const utc = (text: string): number => Date.parse(text)

const SPANS: readonly (readonly [string, string, string])[] = [
  ['2024', '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z'],
  ['2024-02', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
  ['2024-02-29', '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z'],
  ['2024-12-31', '2024-12-31T00:00:00Z', '2025-01-01T00:00:00Z'],
  ['0050', '0050-01-01T00:00:00Z', '0051-01-01T00:00:00Z'],
  ['2024-02-10T08:00:00Z', '2024-02-10T08:00:00Z', '2024-02-10T08:00:01Z'],
  ['2024-02-10T08:00:00+02:00', '2024-02-10T06:00:00Z', '2024-02-10T06:00:01Z'],
  ['2024-02-10T00:30:00+14:00', '2024-02-09T10:30:00Z', '2024-02-09T10:30:01Z'],
  ['2024-02-10T08:00:00.5Z', '2024-02-10T08:00:00.500Z', '2024-02-10T08:00:00.600Z'],
  ['2024-02-10T08:00:00.123Z', '2024-02-10T08:00:00.123Z', '2024-02-10T08:00:00.124Z'],
  ['2024-02-10T08:00:00.123456-05:00', '2024-02-10T13:00:00.123Z', '2024-02-10T13:00:00.124Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z', '2017-01-01T00:00:01Z'],
]

for (const [text, from, to] of SPANS)
  test(`${text} covers ${from} to ${to}`, () => {
    const span = { fromMs: utc(from), toMs: utc(to) }
    assert.deepEqual(storedDateRange(text), span)
    assert.deepEqual(searchDateRange(text), span)
  })

const NO_DATES = [
  '',
  '24',
  '0000',
  '2024-13',
  '2024-00',
  '2023-02-29',
  '2024-04-31',
  '2024-2-1',
  '2024-02-10T24:00:00Z',
  '2024-02-10T08:60:00Z',
  '2024-02-10T08:00:61Z',
  '2024-02-10T08Z',
  '2024-02-10T08:00:00+15:00',
  '2024-02-10T08:00:00+14:30',
  '2024-02-10T08:00:00.Z',
  '2024-02-10 08:00:00Z',
  '2024-02-10t08:00:00z',
  ' 2024',
  '2024Z',
  '２０２４',
]

for (const text of NO_DATES)
  test(`"${text}" is no date`, () => {
    assert.equal(storedDateRange(text), undefined)
    assert.equal(searchDateRange(text), undefined)
  })

test('a stored time needs seconds and a zone; a searched one does not', () => {
  assert.equal(storedDateRange('2024-02-10T08:00Z'), undefined)
  assert.equal(storedDateRange('2024-02-10T08:00:00'), undefined)
  assert.deepEqual(searchDateRange('2024-02-10T08:00'), {
    fromMs: utc('2024-02-10T08:00:00Z'),
    toMs: utc('2024-02-10T08:01:00Z'),
  })
  assert.deepEqual(searchDateRange('2024-02-10T08:00:00'), {
    fromMs: utc('2024-02-10T08:00:00Z'),
    toMs: utc('2024-02-10T08:00:01Z'),
  })
})

test('an instant as the server writes it covers its own millisecond', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('0001-01-01T00:00:00Z'),
        max: new Date('9999-12-31T00:00:00Z'),
        noInvalidDate: true,
      }),
      (date) => {
        const ms = date.getTime()
        assert.deepEqual(storedDateRange(date.toISOString()), { fromMs: ms, toMs: ms + 1 })
      },
    ),
  )
})

test('cutting a date only widens it', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('1900-01-01T00:00:00Z'),
        max: new Date('2100-01-01T00:00:00Z'),
        noInvalidDate: true,
      }),
      (date) => {
        const text = date.toISOString()
        const spans = [4, 7, 10].map((length) => storedDateRange(text.slice(0, length))!)
        const narrow = storedDateRange(text)!
        for (const wide of spans)
          assert.ok(wide.fromMs <= narrow.fromMs && narrow.toMs <= wide.toMs)
      },
    ),
  )
})
