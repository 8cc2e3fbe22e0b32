import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  escapeValue,
  formatSearch,
  type ParsedSearch,
  parseScopeConstraint,
  parseSearch,
  RESOURCE_TYPES,
  type SearchOptions,
  searchParameters,
} from '../index.ts'
import { parseDecimalRange } from './decimal-range.ts'
import { splitUnescaped, unescapeValue } from './escapes.ts'

const OPTIONS: SearchOptions = {
  defaultCount: 50,
  maxCount: 1000,
  nowMs: Date.parse('2024-03-01T00:00:00Z'),
  baseUrl: 'https://own.example/fhir',
}

const type = fc.constantFrom(...RESOURCE_TYPES)
/** Text that looks like a search now and then. */
const piece = fc.oneof(
  fc.constantFrom(
    ...[
      'code',
      'subject',
      'date',
      'name',
      'identifier',
      'value-quantity',
      '_has',
      '_include',
      '_sort',
    ],
    ...[
      'Patient',
      'Observation',
      ':',
      '.',
      ',',
      '$',
      '|',
      '\\',
      '=',
      '*',
      '-',
      '#',
      '/',
      '%',
      ' ',
      '+',
    ],
    ...[
      'missing',
      'not',
      'of-type',
      'gt',
      'ap',
      '2024-02-10',
      '1e2',
      '5.4',
      'true',
      'iterate',
      'http://x/y',
    ],
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
)
const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''))
const pair = fc.tuple(text, text)

function names(parsed: ParsedSearch): string[] {
  return parsed.ok ? [...parsed.ignored, ...parsed.query.used.map(([name]) => name)] : []
}

test('whatever the text, the answer is a search or problems that name a parameter', () => {
  fc.assert(
    fc.property(type, fc.array(pair, { maxLength: 5 }), fc.boolean(), (on, pairs, strict) => {
      const parsed = parseSearch(on, pairs, { ...OPTIONS, strict })
      if (parsed.ok) {
        // Nothing is lost: a parameter takes part, or is listed as ignored.
        assert.deepEqual(names(parsed).sort(), pairs.map(([name]) => name).sort())
      } else {
        assert.ok(parsed.problems.length > 0)
        for (const { why, fix } of parsed.problems) assert.ok(why.length > 0 && fix.length > 0)
      }
    }),
    { numRuns: 2000 },
  )
})

test('whatever the constraint of a scope, it has a clause for each of its parts or none', () => {
  fc.assert(
    fc.property(type, text, (on, constraint) => {
      const parsed = parseScopeConstraint(on, constraint)
      if (parsed.ok) assert.equal(parsed.clauses.length, constraint.split('&').length)
      else assert.ok(parsed.problem.why.length > 0)
    }),
    { numRuns: 2000 },
  )
})

test('reading what was formatted gives the same search', () => {
  const value = {
    token: fc.constantFrom('a', 's|a', '|a', 's|', 'a\\|b', 'true'),
    reference: fc.constantFrom('a', 'http://x/y', 'urn:uuid:1', 'http://x/y|2'),
    string: fc.string({ minLength: 1 }).map(escapeValue),
    date: fc.constantFrom(
      '2024',
      'ge2024-02',
      'ap2024-02-10T08:00:00+01:00',
      'ne2024-02-10T08:00:00Z',
    ),
    number: fc.constantFrom('1', 'gt-1.50', '1e-3', 'ap7'),
    quantity: fc.constantFrom('1', 'lt5.4||mg', '5|http://unitsofmeasure.org|mg'),
    uri: fc.constantFrom('http://x/y', 'urn:oid:1.2'),
    composite: fc.constant('a$a'),
    special: fc.constant('a'),
  }
  const search = type.chain((on) =>
    fc.tuple(
      fc.constant(on),
      fc.array(
        fc.constantFrom(...searchParameters(on)).chain((parameter) =>
          fc.tuple(
            fc.constant(parameter.code),
            fc
              .array(value[parameter.type], { minLength: 1, maxLength: 3 })
              .map((of) => of.join(',')),
          ),
        ),
        { maxLength: 4 },
      ),
    ),
  )
  let understood = 0
  fc.assert(
    fc.property(search, ([on, pairs]) => {
      const first = parseSearch(on, pairs, OPTIONS)
      if (!first.ok) return
      understood += 1
      const again = parseSearch(on, new URLSearchParams(formatSearch(first.query.used)), OPTIONS)
      assert.deepEqual(again, { ...first, ignored: [] })
    }),
    { numRuns: 1000 },
  )
  assert.ok(understood > 300, `only ${understood} searches were understood`)
})

test('an escaped value is one piece, and comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (plain) => {
      const escaped = escapeValue(plain)
      for (const separator of [',', '$', '|'] as const) {
        assert.deepEqual(splitUnescaped(escaped, separator), [escaped])
      }
      assert.equal(unescapeValue(escaped), plain)
    }),
  )
})

test('pieces joined again are the text that was split', () => {
  fc.assert(
    fc.property(text, (whole) => {
      for (const separator of [',', '$', '|'] as const) {
        assert.equal(splitUnescaped(whole, separator).join(separator), whole)
      }
    }),
  )
})

test('the range of a number holds the number, and more digits narrow it', () => {
  const digits = fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.nat({ max: 99 }))
  fc.assert(
    fc.property(digits, ([whole, fraction]) => {
      const coarse = parseDecimalRange(`${whole}.${String(fraction).padStart(2, '0')}`)!
      const fine = parseDecimalRange(`${whole}.${String(fraction).padStart(2, '0')}0`)!
      assert.ok(coarse.low <= fine.low && fine.high <= coarse.high)
      assert.ok(fine.low < fine.value && fine.value < fine.high)
      assert.equal(coarse.value, fine.value)
    }),
  )
})

test('absurd searches are answered in bounded time', () => {
  const long = (unit: string, length = 65_000) => unit.repeat(Math.ceil(length / unit.length))
  const absurd: [string, string][] = [
    ...[',', '|', '$', '\\', '\\,', 'a,', 'a|', ' ', '/', '1', '9.', '-', 'é', '%', '#'].flatMap(
      (unit): [string, string][] =>
        [
          'code',
          'date',
          'subject',
          'value-quantity',
          'code-value-quantity',
          'value-string',
          '_sort',
        ].map((name) => [name, long(unit)]),
    ),
    ['subject', long('/A')],
    ['subject', `http://x${long('/Patient/1/_history')}`],
    ['instantiates-canonical:above', `http://x${long('/a')}`],
    [long('subject.', 400), 'x'],
    [long('_has:Observation:patient:', 400), 'x'],
    [long('subject:Patient.', 100_000), 'x'],
    [long('_has:Observation:patient:', 100_000), 'x'],
    [long(':', 400), 'x'],
    [long('.', 400), 'x'],
    ['_include', long('Observation:')],
    ['_elements', long('a,')],
  ]
  const startedMs = performance.now()
  for (const parameter of absurd)
    parseSearch('Observation', [parameter], { ...OPTIONS, strict: true })
  parseSearch(
    'Observation',
    Array.from({ length: 10_000 }, (_, i) => [`x${i}`, 'y'] as const),
    OPTIONS,
  )
  parseSearch('Provenance', [['target.nonsense.nonsense', 'x']], OPTIONS)
  const tookMs = performance.now() - startedMs
  // About 120 searches; the whole takes some 200 ms on one slow core.
  assert.ok(tookMs < 4000, `took ${tookMs} ms`)
})
