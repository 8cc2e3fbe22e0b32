import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ALL,
  allOf,
  anyOf,
  type Clause,
  compileClause,
  compilePredicate,
  type FhirResource,
  NONE,
  type Predicate,
  permits,
  uriAncestors,
  type VisibilityLookup,
} from '../index.ts'

const LAB: Clause = {
  kind: 'clause',
  param: 'category',
  type: 'token',
  values: [{ kind: 'token', code: 'laboratory' }],
}
const lab: FhirResource = {
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  category: [{ coding: [{ code: 'laboratory' }] }],
  code: { text: 'x' },
  subject: { reference: 'Patient/1' },
}
const COMPARTMENT: Predicate = {
  kind: 'compartment',
  compartment: 'Patient',
  id: '1',
  mode: 'guarded',
}
const NO_FOREIGN: Predicate = { kind: 'no-foreign-patient', id: '1' }

/** Sees the instances named, and counts what it is asked. */
function lookupOf(...visible: string[]): VisibilityLookup & { asked: string[] } {
  const asked: string[] = []
  const answer = (question: string) => {
    asked.push(question)
    return Promise.resolve(visible.includes(question))
  }
  return {
    asked,
    isVisible: ({ type, id }) => answer(`${type}/${id}`),
    hasVisibleAttachment: ({ type, id }) => answer(`attachment of ${type}/${id}`),
    hasVisibleReferrer: ({ type, id }) => answer(`referrer of ${type}/${id}`),
    wouldBeVisible: ({ resourceType, id }) => answer(`${resourceType}/${id}`),
  }
}

function test1(predicate: Predicate, resource: FhirResource): boolean {
  const matcher = compilePredicate(resource.resourceType, predicate)
  assert.ok(matcher.sync)
  assert.equal(matcher.permits(resource, lookupOf()), matcher.test(resource))
  return matcher.test(resource)
}

describe('absence denies', () => {
  const cases: [string, unknown][] = [
    ['none', NONE],
    ['no ids', { kind: 'id', ids: [] }],
    ['an `and` of nothing', { kind: 'and', of: [] }],
    ['an `or` of nothing', { kind: 'or', of: [] }],
    ['a node that is not known', { kind: 'everything' }],
    ['a node named like a member of Object', { kind: 'constructor' }],
    ['a visibility rule that is not known', { kind: 'visible-via', rule: 'constructor' }],
    ['another compartment', { ...COMPARTMENT, compartment: 'Practitioner' }],
    ['a clause without values', { ...LAB, values: [] }],
    ['a `:not` without values', { ...LAB, modifier: 'not', values: [] }],
    ['a parameter that the type does not have', { ...LAB, param: 'categry' }],
    [
      'a `:not` on a parameter that the type does not have',
      { ...LAB, modifier: 'not', param: 'x' },
    ],
    ['a parameter of another type', { ...LAB, type: 'string' }],
    ['a value of another kind', { ...LAB, values: [{ kind: 'uri', uri: 'laboratory' }] }],
    ['an unknown kind in an `and`', { kind: 'and', of: [ALL, { kind: 'everything' }] }],
  ]
  for (const [name, predicate] of cases) {
    test(name, async () => {
      assert.equal(
        await permits('Observation', predicate as Predicate, lab, lookupOf('Observation/o1')),
        false,
      )
    })
  }

  test('all is all of the type, and of no other', () => {
    assert.equal(test1(ALL, lab), true)
    const matcher = compilePredicate('Condition', ALL)
    assert.ok(matcher.sync)
    assert.equal(matcher.test(lab), false)
  })
})

test('parts are joined, the compartment with the constraint', () => {
  assert.equal(test1(allOf(COMPARTMENT, LAB), lab), true)
  assert.equal(test1(allOf(COMPARTMENT, LAB), { ...lab, category: [] }), false)
  assert.equal(
    test1(allOf(COMPARTMENT, LAB), { ...lab, subject: { reference: 'Patient/2' } }),
    false,
  )
  assert.equal(test1(anyOf(NONE, { kind: 'id', ids: ['o9', 'o1'] }), lab), true)
  assert.equal(
    test1(anyOf(LAB, { kind: 'id', ids: ['o9'] }), { ...lab, category: [], id: 'o9' }),
    true,
  )
})

test('references below our own base are local ones, and no others', () => {
  const own = { ...lab, subject: { reference: 'https://own.example/fhir/Patient/1' } }
  const at = (base: string) => compilePredicate('Observation', COMPARTMENT, { base })
  const [ours, theirs] = [at('https://own.example/fhir'), at('https://other.example/fhir')]
  assert.ok(ours.sync && theirs.sync)
  assert.equal(ours.test(own), true)
  assert.equal(theirs.test(own), false)
})

test('the same predicate is compiled once for a type', () => {
  const predicate = allOf(COMPARTMENT, LAB)
  const first = compilePredicate('Observation', predicate)
  assert.equal(compilePredicate('Observation', predicate), first)
  assert.notEqual(compilePredicate('Condition', predicate), first)
})

test('the ancestors of a URL end at its host', () => {
  assert.deepEqual(uriAncestors('http://a.org/b/c'), [
    'http://a.org/b/c',
    'http://a.org/b/',
    'http://a.org/b',
    'http://a.org/',
    'http://a.org',
  ])
  assert.deepEqual(uriAncestors('http://a.org/b/'), [
    'http://a.org/b/',
    'http://a.org/b',
    'http://a.org/',
    'http://a.org',
  ])
  assert.deepEqual(uriAncestors('http://'), ['http://'])
})

describe('no foreign patient', () => {
  const body = (subject: string, performer?: string): FhirResource => ({
    ...lab,
    subject: { reference: subject },
    ...(performer !== undefined && { performer: [{ reference: performer }] }),
  })
  const submit = (resource: FhirResource, previous?: FhirResource) =>
    permits('Observation', NO_FOREIGN, resource, lookupOf(), previous ? { previous } : {})

  test('is true of what is stored', () => {
    assert.equal(permits('Observation', NO_FOREIGN, body('Patient/2'), lookupOf()), true)
  })
  test('refuses another patient in any compartment parameter of a new body', () => {
    assert.equal(submit(body('Patient/1')), true)
    assert.equal(submit(body('Patient/1', 'Practitioner/2')), true)
    assert.equal(submit(body('Patient/2')), false)
    assert.equal(submit(body('Patient/1', 'Patient/2')), false)
    assert.equal(submit(body('Patient/1', 'http://elsewhere/Patient/1')), false)
  })
  test('lets stand what stood there before, at the same place only', () => {
    const previous = body('Patient/1', 'Patient/2')
    assert.equal(submit(body('Patient/1', 'Patient/2'), previous), true)
    assert.equal(submit(body('Patient/1', 'Patient/3'), previous), false)
    assert.equal(submit(body('Patient/2', 'Patient/2'), previous), false)
    assert.equal(submit(body('Patient/1'), previous), true)
  })
})

describe('visible because something else is', () => {
  const provenance: FhirResource = {
    resourceType: 'Provenance',
    id: 'v1',
    target: [
      { reference: 'Observation/a' },
      { reference: 'Observation/b/_history/2' },
      { reference: 'http://x/y' },
    ],
  }
  const NO_ID: Predicate = { kind: 'id', ids: ['other'] }
  const TARGETS: Predicate = { kind: 'visible-via', rule: 'targets', param: 'target' }

  test('one visible target is enough', async () => {
    assert.equal(await permits('Provenance', TARGETS, provenance, lookupOf('Observation/b')), true)
    assert.equal(await permits('Provenance', TARGETS, provenance, lookupOf()), false)
    assert.equal(
      await permits('Provenance', TARGETS, { ...provenance, target: [] }, lookupOf()),
      false,
    )
  })

  test('a Binary by its security context or an attachment', async () => {
    const rule: Predicate = { kind: 'visible-via', rule: 'attachments' }
    const binary = { resourceType: 'Binary', id: 'b', securityContext: { reference: 'Patient/1' } }
    assert.equal(await permits('Binary', rule, binary, lookupOf('Patient/1')), true)
    assert.equal(await permits('Binary', rule, binary, lookupOf('attachment of Binary/b')), true)
    assert.equal(await permits('Binary', rule, binary, lookupOf('Patient/2')), false)
    assert.equal(await permits('Binary', rule, { resourceType: 'Binary' }, lookupOf()), false)
  })

  test('a shared type by what refers to it', async () => {
    const rule: Predicate = { kind: 'visible-via', rule: 'referrers' }
    const location = { resourceType: 'Location', id: 'l' }
    assert.equal(
      await permits('Location', rule, location, lookupOf('referrer of Location/l')),
      true,
    )
    assert.equal(await permits('Location', rule, location, lookupOf()), false)
  })

  test('a stored Bundle by every one of its entries', async () => {
    const rule: Predicate = { kind: 'visible-via', rule: 'entries' }
    const bundle = (...entry: unknown[]): FhirResource => ({
      resourceType: 'Bundle',
      id: 'x',
      entry,
    })
    const seesBoth = lookupOf('Observation/o1', 'Patient/1')
    const patient = { resourceType: 'Patient', id: '1' }
    assert.equal(
      await permits('Bundle', rule, bundle({ resource: lab }, { resource: patient }), seesBoth),
      true,
    )
    assert.equal(
      await permits(
        'Bundle',
        rule,
        bundle({ resource: lab }, { resource: patient }),
        lookupOf('Patient/1'),
      ),
      false,
    )
    for (const odd of [
      bundle(),
      bundle({}),
      bundle(null),
      bundle({ resource: 1 }),
      bundle({ resource: lab }, {}),
      bundle({ resource: lab, response: { outcome: { ...patient, id: '2' } } }),
      bundle({ resource: lab, response: { outcome: 1 } }),
    ]) {
      assert.equal(await permits('Bundle', rule, odd, seesBoth), false)
    }
    const outcome = { resourceType: 'OperationOutcome' }
    for (const response of [{ status: '200' }, { outcome }, { outcome: patient }]) {
      const answered = bundle({ resource: lab, response })
      assert.equal(await permits('Bundle', rule, answered, seesBoth), true)
    }
  })

  test('is one part among others', async () => {
    const REFERRED: Predicate = { kind: 'visible-via', rule: 'referrers' }
    const THIS: Predicate = { kind: 'id', ids: ['v1'] }
    const [target, referrer] = ['Observation/a', 'referrer of Provenance/v1']
    const judge = async (predicate: Predicate, ...visible: string[]) =>
      permits('Provenance', predicate, provenance, lookupOf(...visible))
    assert.equal(await judge(allOf(THIS, TARGETS), target), true)
    assert.equal(await judge(allOf(THIS, TARGETS)), false)
    assert.equal(await judge(allOf(TARGETS, REFERRED), target), false)
    assert.equal(await judge(allOf(TARGETS, REFERRED), referrer), false)
    assert.equal(await judge(allOf(TARGETS, REFERRED), target, referrer), true)
    assert.equal(await judge(anyOf(TARGETS, REFERRED), target), true)
    assert.equal(await judge(anyOf(TARGETS, REFERRED), referrer), true)
    assert.equal(await judge(anyOf(TARGETS, REFERRED)), false)
    assert.equal(await judge(anyOf(allOf(THIS, TARGETS), NO_ID), target), true)
    assert.equal(await judge(anyOf(allOf(NO_ID, TARGETS), NONE), target), false)
    assert.equal(
      await permits('Observation', TARGETS, provenance, lookupOf(target)),
      false,
      'a resource of another type',
    )
  })

  test('is asked only when nothing else settles the answer', async () => {
    const lookup = lookupOf()
    const sync = permits(
      'Provenance',
      anyOf(TARGETS, { kind: 'id', ids: ['v1'] }),
      provenance,
      lookup,
    )
    assert.equal(await sync, true)
    assert.equal(await permits('Provenance', allOf(TARGETS, NO_ID), provenance, lookup), false)
    assert.deepEqual(lookup.asked, [])
  })
})

test('a token clause is judged at more than a million resources a second', () => {
  const fits = compileClause('Observation', LAB)
  let found = 0
  const startedMs = performance.now()
  for (let i = 0; i < 500_000; i++) if (fits(lab)) found++
  const perSecond = 500_000 / ((performance.now() - startedMs) / 1000)
  assert.equal(found, 500_000)
  assert.ok(perSecond > 1_000_000, `${Math.round(perSecond)} per second`)
})
