import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LETTERS, RESOURCE_TYPES } from '@scopegate/fhir-model'
import {
  CONTEXTS,
  covers,
  type DescribeScopeOptions,
  describeScope,
  parseScope,
  type ResourceScope,
  SCOPE_WORDS,
  type Scope,
} from '@scopegate/smart-scopes'
import fc from 'fast-check'

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
const { en, de } = SCOPE_WORDS

const title = (scope: string, options?: DescribeScopeOptions) => describeScope(scope, options).title
const detail = (scope: string, options?: DescribeScopeOptions) =>
  describeScope(scope, options).detail

test('a scope is told to the patient, to a clinician and of all patients', () => {
  const lab = `Observation.rs?category=${CATEGORY}|laboratory`
  assert.equal(title(`patient/${lab}`, { perspective: 'self' }), 'Read your laboratory results')
  assert.equal(title(`patient/${lab}`), 'Read laboratory results of this patient')
  assert.equal(title(`user/${lab}`), 'Read laboratory results that you may access')
  assert.equal(title(`system/${lab}`), 'Read laboratory results of all patients')
  assert.equal(
    title(`patient/${lab}`, { perspective: 'self', words: de }),
    'Ihre Laborergebnisse lesen',
  )
  assert.equal(
    title(`user/${lab}`, { words: de }),
    'Laborergebnisse, die Ihnen zugänglich sind, lesen',
  )
})

test('letters are told in words, of both versions', () => {
  for (const scope of ['patient/Immunization.cruds', 'patient/Immunization.*']) {
    assert.equal(
      title(scope, { perspective: 'self' }),
      'Read, add, change and delete your vaccinations',
    )
    assert.match(detail(scope), /^The app can view, search, add, change and delete\./)
  }
  assert.equal(title('patient/Immunization.read'), 'Read vaccinations of this patient')
  assert.equal(title('patient/Immunization.cu'), 'Add and change vaccinations of this patient')
  assert.match(detail('patient/Immunization.s'), /^The app can search\./)
})

test('a wildcard says that it is everything', () => {
  assert.equal(title('patient/*.rs', { perspective: 'self' }), 'Read your whole health record')
  assert.equal(
    title('patient/*.r', { words: de }),
    'Die gesamte Gesundheitsakte dieser Person lesen',
  )
  assert.match(detail('patient/*.rs'), /all kinds of data, also kinds that are added later/)
  assert.equal(
    title('patient/*.rs?_id=1', { perspective: 'self' }),
    'Read your whole health record (only some)',
  )
})

test('what belongs to no patient is not called the patient’s', () => {
  const name = 'Read doctors, nurses and other professionals'
  for (const perspective of ['self', 'patient'] as const) {
    assert.equal(title('patient/Practitioner.rs', { perspective }), name)
  }
  assert.match(detail('patient/Practitioner.rs'), /not kept for one patient alone/)
})

test('alternatives are all named; what has no name stands as it is written', () => {
  assert.equal(
    title(`patient/Observation.rs?category=${CATEGORY}|laboratory,vital-signs`),
    'Read laboratory results and vital signs of this patient',
  )
  for (const [query, told] of [
    ['category=http://other.example|laboratory', 'category: laboratory (http://other.example)'],
    ['category=|laboratory', 'category: laboratory without a code system'],
    [`category=${CATEGORY}|`, `category: any code of ${CATEGORY}`],
    ['category=laboratory&status=final', 'category: laboratory results and status: final'],
    ['category=laboratory,x', 'category: laboratory results or x'],
    ['code=http://loinc.org|2345-7', 'code: 2345-7 (http://loinc.org)'],
    ['value-concept=a%5C%7Cb', 'value-concept: a|b'],
  ]) {
    const described = describeScope(`patient/Observation.rs?${query}`)
    assert.equal(
      described.title,
      'Read test results, measurements and observations of this patient (only some)',
    )
    assert.ok(described.detail.includes(`Only entries with ${told}.`), described.detail)
  }
  const many = Array.from({ length: 14 }, (_, i) => `c${i}`).join(',')
  assert.match(detail(`patient/Observation.rs?code=${many}`), /c9 or 4 more\./)
})

test('identity, launch and lasting access have words of their own', () => {
  for (const [scope, kind, sensitive] of [
    ['openid', 'identity', false],
    ['fhirUser', 'identity', false],
    ['profile', 'identity', false],
    ['launch', 'launch', false],
    ['launch/patient', 'launch', false],
    ['launch/encounter', 'launch', false],
    ['launch/ImagingStudy', 'launch', false],
    ['offline_access', 'offline', true],
    ['online_access', 'online', false],
    ['admin/clients.write', 'admin', true],
    ['admin/whatever.read', 'admin', true],
    ['custom', 'unknown', true],
    ['constructor', 'unknown', true],
    ['__proto__', 'unknown', true],
    ['patient/Observaton.rs', 'unknown', true],
    ['', 'unknown', true],
  ] as const) {
    const described = describeScope(scope)
    assert.deepEqual([described.kind, described.sensitive], [kind, sensitive], scope)
    assert.equal(described.scope, scope)
    if (kind === 'unknown') assert.ok(described.title.includes(scope || '“”'), described.title)
  }
})

test('kind and sensitivity follow what the scope permits', () => {
  for (const [scope, kind, sensitive] of [
    ['patient/Immunization.rs', 'read', false],
    ['patient/Immunization.c', 'write', true],
    ['patient/Immunization.ru', 'both', true],
    ['system/Immunization.rs', 'read', true],
    ['patient/*.rs', 'read', true],
    ['patient/Observation.rs', 'read', true],
    ['patient/Observation.rs?category=laboratory,vital-signs', 'read', false],
    ['patient/Observation.rs?category=laboratory,social-history', 'read', true],
    ['patient/Observation.rs?category=|laboratory', 'read', true],
    ['patient/MolecularSequence.rs', 'read', true],
  ] as const) {
    const described = describeScope(scope)
    assert.deepEqual([described.kind, described.sensitive], [kind, sensitive], scope)
  }
})

test('the categories of US Core are offered for the whole type, and for nothing else', () => {
  const offered = (scope: string) =>
    (describeScope(scope).categories ?? []).map((each) => each.scope)
  const codes = (scope: string) => offered(scope).map((each) => each.split('|')[1])
  assert.deepEqual(codes('patient/Observation.rs'), [
    ...['laboratory', 'vital-signs', 'social-history', 'survey', 'sdoh'],
    ...['exam', 'imaging', 'procedure', 'therapy', 'activity'],
  ])
  assert.deepEqual(offered('patient/Condition.rs'), [
    'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
    'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
    'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
  ])
  assert.deepEqual(offered('user/DocumentReference.read'), [
    'user/DocumentReference.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note',
  ])
  for (const none of [
    'patient/Observation.rs?category=laboratory',
    'patient/*.rs',
    'patient/Patient.rs',
    'openid',
  ]) {
    assert.deepEqual(offered(none), [], none)
  }
})

// ── laws ─────────────────────────────────────────────────────────────────────────────────────────

const options = fc.record(
  {
    perspective: fc.constantFrom(
      'self' as const,
      'patient' as const,
      'user' as const,
      'system' as const,
    ),
    words: fc.constantFrom(en, de),
  },
  { noNullPrototype: true },
)
const value = fc.oneof(
  fc.constantFrom('laboratory', 'vital-signs', `${CATEGORY}|laboratory`, `${CATEGORY}|`, '|x'),
  fc.string({ minLength: 1, unit: 'binary' }),
)
const resourceScope: fc.Arbitrary<ResourceScope> = fc.record(
  {
    kind: fc.constant('resource' as const),
    context: fc.constantFrom(...CONTEXTS),
    type: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('*', 'Observation', 'Condition') },
      { weight: 2, arbitrary: fc.constantFrom(...RESOURCE_TYPES) },
      fc.string(),
    ),
    letters: fc
      .uniqueArray(fc.constantFrom(...LETTERS), { minLength: 1, maxLength: 5 })
      .map((some) => LETTERS.filter((letter) => some.includes(letter))),
    params: fc.array(
      fc.record(
        {
          name: fc.oneof(fc.constantFrom('category', 'code', '_id'), fc.string()),
          values: fc.array(value, { minLength: 1, maxLength: 14 }),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
  },
  { noNullPrototype: true },
)
const anything: fc.Arbitrary<string | Scope> = fc.oneof(
  resourceScope,
  fc.string({ unit: 'binary' }),
  fc.string().map((text) => `patient/Observation.rs?${text}`),
  fc.constantFrom('openid', 'launch/x', 'admin/x.read', 'toString', 'user/__proto__.rs'),
)
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/

test('law: every scope has words, in one line, without characters that deceive', () => {
  fc.assert(
    fc.property(anything, options, (scope, opts) => {
      const described = describeScope(scope, opts)
      for (const text of [described.title, described.detail]) {
        assert.ok(text.trim().length > 3, text)
        assert.ok(!UNSAFE.test(text), JSON.stringify(text))
        assert.ok(!/\{\w+\}/.test(text) || JSON.stringify(scope).includes('{'), text)
      }
      assert.ok(described.title.length < 700, described.title)
    }),
  )
})

test('law: the detail names every letter, and a constraint whenever there is one', () => {
  fc.assert(
    fc.property(resourceScope, options, (scope, opts) => {
      const { title: told, detail: text } = describeScope(scope, opts)
      const { words } = opts
      const [permits] = text.split('.')
      for (const letter of LETTERS) {
        assert.equal(permits!.includes(words.letters[letter]), scope.letters.includes(letter), text)
      }
      const only = words.only.split('{')[0]!
      assert.equal(text.includes(only.trim()), scope.params.length > 0, text)
      const whole = describeScope({ ...scope, params: [] }, opts).title
      assert.equal(told === whole, scope.params.length === 0, told)
    }),
  )
})

test('law: the words of a constraint promise every alternative', () => {
  const categories = fc.uniqueArray(
    fc.constantFrom('laboratory', 'vital-signs', 'survey', 'unheard-of', 'exam'),
    { minLength: 1 },
  )
  const names: Record<string, string> = {
    laboratory: en.categories.laboratory!,
    'vital-signs': en.categories.vitalSigns!,
    survey: en.categories.survey!,
    exam: en.categories.exam!,
    'unheard-of': 'unheard-of',
  }
  fc.assert(
    fc.property(categories, (codes) => {
      const described = describeScope(`patient/Observation.rs?category=${codes.join(',')}`)
      for (const code of codes) assert.ok(described.detail.includes(names[code]!))
      const named = described.title.includes(names[codes[0]!]!)
      for (const code of codes) {
        if (named) assert.ok(described.title.includes(names[code]!), described.title)
      }
    }),
  )
})

test('law: what is offered is covered by the scope, and has its own words', () => {
  fc.assert(
    fc.property(resourceScope, options, (scope, opts) => {
      for (const choice of describeScope(scope, opts).categories ?? []) {
        const parsed = parseScope(choice.scope)
        assert.ok(parsed.ok && parsed.scope.kind === 'resource', choice.scope)
        assert.ok(covers(scope, parsed.scope))
        assert.ok(!covers(parsed.scope, scope))
        assert.deepEqual(describeScope(choice.scope, opts).title, choice.title)
        assert.equal(describeScope(choice.scope, opts).categories, undefined)
      }
    }),
  )
})

// ── translations ─────────────────────────────────────────────────────────────────────────────────

test('all languages have the same members, with the same gaps to fill, none empty', () => {
  const shapeOf = (words: unknown): unknown =>
    typeof words === 'string'
      ? [...words.matchAll(/\{\w+\}/g)].map(String).sort()
      : Object.fromEntries(
          Object.entries(words as object)
            .map(([key, inner]) => [key, shapeOf(inner)] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
  for (const words of Object.values(SCOPE_WORDS)) {
    assert.deepEqual(shapeOf(words), shapeOf(en), words.language)
    const texts = JSON.stringify(words)
    assert.ok(!texts.includes(':""') && !/\s"/.test(texts), words.language)
  }
})

test('every R4 resource type has a name of its own in every language', () => {
  for (const words of Object.values(SCOPE_WORDS)) {
    assert.deepEqual(Object.keys(words.types).sort(), [...RESOURCE_TYPES].sort())
    assert.equal(new Set(Object.values(words.types)).size, RESOURCE_TYPES.length, words.language)
  }
})
