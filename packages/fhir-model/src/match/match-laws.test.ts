import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  allOf,
  anyOf,
  type Clause,
  compileClause,
  compilePredicate,
  extract,
  type FhirResource,
  type Predicate,
  parseSearch,
} from '../index.ts'

const system = fc.constantFrom(undefined, 'http://a', 'http://b', 'http://snomed.info/sct')
const code = fc.constantFrom(undefined, 'x', 'X', 'y', 'a,b', 'p|q', '')
const present = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T
const coding = fc.tuple(system, code).map(([s, c]) => present({ system: s, code: c }))
const date = fc.constantFrom(
  ...[
    undefined,
    '2023',
    '2024',
    '2024-02',
    '2024-02-10',
    '2024-02-10T08:00:00Z',
    '2024-02-11T00:00:00+01:00',
  ],
)
const period = fc.tuple(date, date).map(([start, end]) => present({ start, end }))
const quantity = fc
  .tuple(
    fc.constantFrom(-1, 0, 5.35, 5.4, 5.45, 100),
    fc.constantFrom(undefined, '<', '<=', '>', '>='),
    fc.constantFrom(undefined, 'mg', 'g'),
  )
  .map(([value, comparator, unit]) =>
    present({ value, comparator, unit, code: unit, system: unit && 'http://unitsofmeasure.org' }),
  )
const reference = fc.constantFrom(
  ...[
    'Patient/1',
    'Patient/1/_history/3',
    'Group/1',
    'http://f/Patient/1',
    '#c',
    'urn:uuid:1',
    '?',
  ],
)
const observation: fc.Arbitrary<FhirResource> = fc
  .record(
    {
      category: fc.array(fc.record({ coding: fc.array(coding, { maxLength: 2 }) }), {
        maxLength: 2,
      }),
      effectiveDateTime: date,
      effectivePeriod: period,
      valueQuantity: quantity,
      subject: reference.map((text) => ({ reference: text })),
      status: fc.constantFrom('final', 'amended'),
      component: fc.array(
        fc.record({ code: fc.record({ coding: fc.tuple(coding) }), valueQuantity: quantity }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map((members) => present({ resourceType: 'Observation', id: 'o', ...members }))

const tokenText = fc.constantFrom(
  'x',
  'X',
  'http://a|x',
  '|x',
  'http://a|',
  'p\\|q',
  'http://snomed.info/sct|x',
)
const dateText = fc.constantFrom('2024', '2024-02', '2024-02-10', '2024-02-10T08:00:00Z', '2025')
const quantityText = fc.constantFrom(
  '5.4',
  '5.40',
  '100',
  '5.4||mg',
  '-1',
  '5.4|http://unitsofmeasure.org|g',
)
const part = fc.oneof(
  fc.tuple(fc.constant('category'), tokenText),
  fc.tuple(fc.constant('date'), dateText),
  fc.tuple(fc.constant('value-quantity'), quantityText),
  fc.tuple(
    fc.constant('subject'),
    fc.constantFrom('1', 'Patient/1', 'Group/1', 'http://f/Patient/1'),
  ),
  fc.tuple(
    fc.constant('component-code-value-quantity'),
    fc.tuple(tokenText, quantityText).map((both) => both.join('$')),
  ),
)

function clauseOf(name: string, value: string): Clause {
  const parsed = parseSearch('Observation', [[name, value]], {
    strict: true,
    defaultCount: 1,
    maxCount: 1,
    nowMs: Date.parse('2024-03-01T00:00:00Z'),
  })
  assert.ok(parsed.ok, JSON.stringify(parsed))
  const [filter] = parsed.query.filters
  assert.ok(filter?.kind === 'clause')
  return filter
}
const fits = (resource: FhirResource, name: string, value: string): boolean =>
  compileClause('Observation', clauseOf(name, value))(resource)

const RUNS = { numRuns: 2000 }

test('alternatives are OR, in any order and number', () => {
  fc.assert(
    fc.property(
      observation,
      part,
      fc.array(tokenText, { maxLength: 6 }),
      (resource, [name, a], more) => {
        const all = name === 'category' ? [a, ...more] : [a, a]
        const each = all.some((value) => fits(resource, name, value))
        assert.equal(fits(resource, name, all.join(',')), each)
        assert.equal(fits(resource, name, all.toReversed().join(',')), each)
      },
    ),
    RUNS,
  )
})

test(':not is the complement, and so is the other value of :missing', () => {
  fc.assert(
    fc.property(observation, tokenText, (resource, value) => {
      assert.equal(fits(resource, 'category:not', value), !fits(resource, 'category', value))
      const missing = fits(resource, 'category:missing', 'true')
      assert.equal(fits(resource, 'category:missing', 'false'), !missing)
      if (missing) assert.ok(!fits(resource, 'category', value))
    }),
    RUNS,
  )
})

for (const [name, value] of [
  ['date', dateText],
  ['value-quantity', quantityText],
] as const) {
  test(`the prefixes of ${name} agree with each other`, () => {
    fc.assert(
      fc.property(observation, value, (resource, text) => {
        const by = (prefix: string) => fits(resource, name, prefix + text)
        const number = name === 'value-quantity'
        const { length } = extract('Observation', name, resource)
        // A resource with several values may fit a prefix by one and its opposite by another.
        if (length > 1) return
        const unit = text.includes('|')
        if (length === 1 && !unit) {
          assert.equal(by('ne'), !by('eq'), 'one value: ne is not eq')
          assert.ok(by('gt') || by('le'), 'above, or not')
          assert.ok(by('lt') || by('ge'), 'below, or not')
        }
        if (by('sa')) assert.ok(by('gt') && !by('le') && !by('eb'))
        if (by('eb')) assert.ok(by('lt') && !by('ge') && !by('sa'))
        if (by('gt')) assert.ok(by('ge'))
        if (by('lt')) assert.ok(by('le'))
        // For numbers eq goes by written precision, ge and le by the number itself.
        if (by('eq') && !number) assert.ok(by('ge') && by('le'))
        if (by('eq')) assert.ok(by('ap') && by(''))
      }),
      RUNS,
    )
  })
}

test('a composite that fits has both parts somewhere, and a lone part never makes it fit', () => {
  fc.assert(
    fc.property(observation, tokenText, quantityText, (resource, token, amount) => {
      const both = fits(resource, 'component-code-value-quantity', `${token}$${amount}`)
      if (both) {
        assert.ok(fits(resource, 'component-code', token))
        assert.ok(fits(resource, 'component-value-quantity', amount))
      }
    }),
    RUNS,
  )
})

const predicate: fc.Arbitrary<Predicate> = fc.letrec<{ tree: Predicate }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    part.map(([name, value]) => clauseOf(name, value) as Predicate),
    fc.constantFrom<Predicate>(
      { kind: 'all' },
      { kind: 'none' },
      { kind: 'id', ids: ['o'] },
      { kind: 'id', ids: [] },
      { kind: 'compartment', compartment: 'Patient', id: '1', mode: 'guarded' },
    ),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((of) => allOf(...of)),
    fc.array(tie('tree'), { maxLength: 3 }).map((of) => anyOf(...of)),
  ),
})).tree

const holds = (of: Predicate, resource: FhirResource): boolean => {
  const matcher = compilePredicate('Observation', of)
  assert.ok(matcher.sync)
  return matcher.test(resource)
}

test('a compiled predicate is the boolean algebra of its parts', () => {
  fc.assert(
    fc.property(observation, predicate, predicate, (resource, a, b) => {
      assert.equal(holds(allOf(a, b), resource), holds(a, resource) && holds(b, resource))
      assert.equal(holds(anyOf(a, b), resource), holds(a, resource) || holds(b, resource))
      assert.equal(holds(a, { ...resource, resourceType: 'Condition' }), false)
    }),
    RUNS,
  )
})

test('no resource, however malformed, makes a predicate throw', () => {
  const malformed = fc
    .dictionary(
      fc.constantFrom(
        'category',
        'effectiveDateTime',
        'effectivePeriod',
        'valueQuantity',
        'subject',
        'component',
      ),
      fc.jsonValue(),
    )
    .map((members) => ({ ...members, resourceType: 'Observation' }) as FhirResource)
  fc.assert(
    fc.property(malformed, predicate, (resource, of) => {
      assert.equal(typeof holds(of, resource), 'boolean')
    }),
    RUNS,
  )
})
