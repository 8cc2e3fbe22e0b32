import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  formatSearch,
  joinedTypes,
  type ParsedSearch,
  parseScopeConstraint,
  parseSearch,
  restrictTargets,
  type SearchOptions,
  type SearchQuery,
} from '../index.ts'

const OPTIONS: SearchOptions = {
  defaultCount: 50,
  maxCount: 1000,
  nowMs: Date.parse('2024-03-01T00:00:00Z'),
  baseUrl: 'https://own.example/fhir',
  cursorParameter: '_cursor',
}

function parse(search: string, options: Partial<SearchOptions> = {}): ParsedSearch {
  const [type = '', query = ''] = search.split('?', 2)
  return parseSearch(type, new URLSearchParams(query), { ...OPTIONS, ...options })
}

function query(search: string, options: Partial<SearchOptions> = {}): SearchQuery {
  const parsed = parse(search, options)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.query
}

function vectors(name: string) {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8'))
}

describe('refused, with the parameter and what to write', () => {
  for (const { search, param, says, unsupported } of vectors('search-refused.json').cases) {
    test(search, () => {
      const parsed = parse(search)
      assert.ok(!parsed.ok, JSON.stringify(parsed))
      const problem = parsed.problems[0]!
      assert.equal(problem.param, param)
      assert.ok(`${problem.why}; ${problem.fix}`.includes(says), `${problem.why}; ${problem.fix}`)
      assert.ok(problem.fix.length > 0)
      assert.deepEqual(parsed.unsupported, unsupported ?? [])
      assert.equal(problem.kind, unsupported === undefined ? 'invalid' : 'not-supported')
    })
  }
})

describe('the constraint of a scope', () => {
  const { understood, void: voided } = vectors('scope-constraints.json')
  for (const { type, text, values } of understood) {
    test(`${type}?${text}`, () => {
      const parsed = parseScopeConstraint(type, text)
      assert.ok(parsed.ok, JSON.stringify(parsed))
      assert.deepEqual(
        parsed.clauses.map((clause) => clause.values),
        values,
      )
      assert.ok(parsed.clauses.every((clause) => clause.modifier === undefined))
    })
  }
  for (const { type, text } of voided) {
    test(`${type}?${text} grants nothing`, () => {
      const parsed = parseScopeConstraint(type, text)
      assert.ok(!parsed.ok, JSON.stringify(parsed))
      assert.ok(parsed.problem.why.length > 0 && parsed.problem.fix.length > 0)
    })
  }
})

describe('a search', () => {
  test('without parameters is everything of the type, with the defaults', () => {
    assert.deepEqual(query('Observation?'), {
      type: 'Observation',
      filters: [],
      sort: [],
      count: 50,
      total: 'accurate',
      summary: 'false',
      elements: [],
      includes: [],
      revincludes: [],
      used: [],
    })
  })

  test('ignores and lists what it does not know, unless strict', () => {
    const search = 'Observation?foo=bar&foo:exact=1&foo.bar=2&code=&status=final,&category=,'
    const parsed = parse(search)
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.ignored, ['foo', 'foo:exact', 'foo.bar', 'code', 'category'])
    assert.deepEqual(parsed.query.used, [['status', 'final,']])

    const strict = parse(search, { strict: true })
    assert.ok(!strict.ok)
    assert.deepEqual(
      strict.problems.map(({ param, kind }) => [param, kind]),
      [
        ['foo', 'unknown-parameter'],
        ['foo:exact', 'unknown-parameter'],
        ['foo.bar', 'unknown-parameter'],
      ],
    )
    assert.deepEqual(strict.unsupported, [])
  })

  test('proposes the name that was meant', () => {
    const parsed = parse('Observation?categry=x', { strict: true })
    assert.ok(!parsed.ok)
    assert.equal(parsed.problems[0]?.fix, 'did you mean `category`')
  })

  test('reports every problem at once', () => {
    const parsed = parse('Observation?date=x&code:text=y&_text=z&_count=-1')
    assert.ok(!parsed.ok)
    assert.deepEqual(
      parsed.problems.map((problem) => problem.param),
      ['date', 'code:text', '_text', '_count'],
    )
    assert.deepEqual(parsed.unsupported, ['_text'])
  })

  test('shapes its answer', () => {
    const { used, ...rest } = query(
      'Observation?_sort=-date,status,_id&_count=5000&_total=none&_summary=data&_elements=status,code,status&_format=json&_pretty=true&_cursor=abc',
    )
    assert.deepEqual(rest, {
      type: 'Observation',
      filters: [],
      sort: [
        { param: 'date', type: 'date', descending: true },
        { param: 'status', type: 'token', descending: false },
        { param: '_id', type: 'token', descending: false },
      ],
      count: 1000,
      total: 'none',
      summary: 'data',
      elements: ['status', 'code'],
      includes: [],
      revincludes: [],
    })
    assert.deepEqual(
      used.map(([name]) => name),
      ['_sort', '_count', '_total', '_summary', '_elements', '_format', '_pretty'],
    )
    assert.equal(query('Observation?_count=0').count, 0)
  })

  test('follows a typed chain, an untyped one over the types that know the parameter, and two deep', () => {
    const [typed] = query('Observation?subject:Patient.name=Ana').filters
    assert.deepEqual(typed, {
      kind: 'chain',
      param: 'subject',
      typed: true,
      targets: [
        {
          type: 'Patient',
          filter: {
            kind: 'clause',
            param: 'name',
            type: 'string',
            values: [{ kind: 'string', text: 'Ana' }],
          },
        },
      ],
    })
    const [untyped] = query('Observation?subject.name=Ana').filters
    assert.ok(untyped?.kind === 'chain' && !untyped.typed)
    assert.deepEqual(
      untyped.targets.map((target) => target.type),
      ['Location', 'Patient'],
    )
    assert.deepEqual(
      joinedTypes(
        query('Observation?subject:Patient.general-practitioner:Practitioner.name:exact=A'),
      ),
      [
        { type: 'Patient', letter: 's', explicit: true, via: 'subject:Patient' },
        {
          type: 'Practitioner',
          letter: 's',
          explicit: true,
          via: 'general-practitioner:Practitioner',
        },
      ],
    )
    const [byId] = query('Observation?patient._id=1').filters
    assert.ok(byId?.kind === 'chain' && byId.targets[0]?.filter.kind === 'clause')
  })

  test('counts the alternatives of an untyped chain once', () => {
    const ids = Array.from({ length: 1500 }, (_, i) => `i${i}`).join(',')
    assert.equal(query(`Observation?subject._id=${ids}`).filters.length, 1)
    assert.ok(!parse(`Observation?_id=${ids}&identifier=${ids}`).ok)
  })

  test('may have as many links as the limit says, and no more', () => {
    const chain = (links: number) => `Encounter?${'part-of.'.repeat(links)}status=x`
    assert.ok(parse(chain(4)).ok)
    assert.ok(!parse(chain(5)).ok)
    const tooMany = Array.from({ length: 101 }, () => 'status=x')
    assert.ok(parse(`Encounter?${tooMany.slice(1).join('&')}`).ok)
    assert.ok(!parse(`Encounter?${tooMany.join('&')}`).ok)
    assert.ok(!parse(`Encounter?status=${'x'.repeat(4097)}`).ok)
  })

  test('goes the other way with _has, nested', () => {
    assert.deepEqual(
      joinedTypes(query('Patient?_has:Observation:patient:_has:Provenance:target:agent=PR1')),
      [
        { type: 'Observation', letter: 's', explicit: true, via: '_has:Observation:patient' },
        { type: 'Provenance', letter: 's', explicit: true, via: '_has:Provenance:target' },
      ],
    )
    const [has] = query('Patient?_has:Observation:patient:code:not=a,b').filters
    assert.ok(has?.kind === 'has' && has.filter.kind === 'clause')
    assert.equal(has.filter.modifier, 'not')
    assert.equal(
      query('Observation?subject:Patient._has:Encounter:patient:status=x').filters.length,
      1,
    )
  })

  test('includes by parameter, by target, by wildcard and step by step', () => {
    const { includes, revincludes } = query(
      'Observation?_include=Observation:subject&_include=Observation:subject:Patient&_include=*&_include:iterate=Patient:general-practitioner&_revinclude=Provenance:target&_revinclude:iterate=*',
    )
    assert.deepEqual(includes, [
      { source: 'Observation', param: 'subject', iterate: false },
      { source: 'Observation', param: 'subject', target: 'Patient', iterate: false },
      { source: 'Observation', param: '*', iterate: false },
      { source: 'Patient', param: 'general-practitioner', iterate: true },
    ])
    assert.deepEqual(revincludes, [
      { source: 'Provenance', param: 'target', iterate: false },
      { source: '*', param: '*', iterate: true },
    ])
  })

  test('is the same search after formatting', () => {
    const search =
      'Observation?code=http%3A%2F%2Floinc.org%7C1-2,a%5C%2Cb&subject:Patient.name=%C3%84%26b+c&_sort=-date&_include=Observation:subject'
    const first = query(search)
    const text = formatSearch(first.used)
    assert.deepEqual(query(`Observation?${text}`), first)
    assert.ok(text.startsWith('code=http://loinc.org%7C1-2,a%5C,b&subject:Patient.name='), text)
  })
})

describe('joins that are not granted', () => {
  const only =
    (...types: string[]) =>
    (type: string) =>
      types.includes(type)

  test('narrow an untyped chain to the granted types', () => {
    const restricted = restrictTargets(query('Observation?subject.name=a'), only('Patient'))
    assert.ok(restricted.ok)
    assert.deepEqual(joinedTypes(restricted.query), [
      { type: 'Patient', letter: 's', explicit: false, via: 'subject' },
    ])
  })

  test('refuse the search when a link leads to no granted type', () => {
    const refused = (search: string, ...types: string[]) => {
      const restricted = restrictTargets(query(search), only(...types))
      assert.ok(!restricted.ok)
      return [restricted.via, restricted.types]
    }
    assert.deepEqual(refused('Observation?subject.name=a'), ['subject', ['Location', 'Patient']])
    assert.deepEqual(refused('Observation?subject:Patient.name=a', 'Location'), [
      'subject:Patient',
      ['Patient'],
    ])
    assert.deepEqual(refused('Patient?_has:Observation:patient:code=a', 'Patient'), [
      '_has:Observation:patient',
      ['Observation'],
    ])
    assert.deepEqual(
      refused('Patient?_has:Observation:patient:_has:Provenance:target:agent=a', 'Observation'),
      ['_has:Provenance:target', ['Provenance']],
    )
    assert.deepEqual(
      refused('Observation?subject:Patient.general-practitioner.name=a', 'Patient'),
      ['general-practitioner', ['Organization', 'Practitioner']],
    )
  })

  test('drop includes, and with them their place in the self link', () => {
    const parsed = query(
      'Observation?status=final&_include=Observation:encounter&_include=Observation:subject&_revinclude=Provenance:target&_revinclude=DiagnosticReport:result&_include=*',
    )
    const restricted = restrictTargets(parsed, only('Patient', 'DiagnosticReport'))
    assert.ok(restricted.ok)
    assert.deepEqual(restricted.droppedIncludes, [
      ['_include', 'Observation:encounter'],
      ['_revinclude', 'Provenance:target'],
    ])
    assert.deepEqual(
      restricted.query.used.map(([, value]) => value),
      ['final', 'Observation:subject', 'DiagnosticReport:result', '*'],
    )
    assert.deepEqual(
      restricted.query.includes.map((include) => include.param),
      ['subject', '*'],
    )
    assert.deepEqual(
      restricted.query.revincludes.map((include) => include.source),
      ['DiagnosticReport'],
    )
  })

  test('take a reference without named targets for one that may lead to any granted type', () => {
    const parsed = query('DiagnosticReport?_include=DiagnosticReport:assessed-condition')
    const some = restrictTargets(parsed, only('Condition'))
    assert.ok(some.ok)
    assert.deepEqual(some.droppedIncludes, [])
    const none = restrictTargets(parsed, only())
    assert.ok(none.ok)
    assert.equal(none.droppedIncludes.length, 1)
  })

  test('distinguish fetching what is referred to from searching what refers', () => {
    const restricted = restrictTargets(
      query('Patient?_include=Patient:organization&_revinclude=Observation:patient'),
      (_type, need) => need === 'include',
    )
    assert.ok(restricted.ok)
    assert.deepEqual(restricted.droppedIncludes, [['_revinclude', 'Observation:patient']])
  })
})
