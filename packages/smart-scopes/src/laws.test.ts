import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allowedFor,
  compilePredicate,
  escapeValue,
  type FhirResource,
  LETTERS,
  type Letter,
} from '@scopegate/fhir-model'
import {
  type AccessPolicy,
  type CompiledAccess,
  compileAccess,
  covers,
  coversTogether,
  DEFAULT_POLICY,
  decide,
  formatScope,
  type GrantedToken,
  INTERACTION_LETTERS,
  type Interaction,
  meet,
  parseScope,
  parseScopes,
  type ResourceScope,
} from '@scopegate/smart-scopes'
import fc from 'fast-check'

// ── scopes, tokens and resources of a small world, so that they meet often ───────────────────────

const SYSTEM = 'http://terminology.hl7.org/CodeSystem/observation-category'
const TYPES = ['Observation', 'Condition', 'Patient', 'Encounter', 'Practitioner'] as const
const CATEGORIES = ['laboratory', 'vital-signs', 'survey'] as const

const letters = fc
  .uniqueArray(fc.constantFrom(...LETTERS), { minLength: 1, maxLength: 5 })
  .map((some) => LETTERS.filter((letter) => some.includes(letter)))
const categories = fc.uniqueArray(
  fc.constantFrom<string>(...CATEGORIES, ...CATEGORIES.map((code) => `${SYSTEM}|${code}`)),
  { minLength: 1, maxLength: 3 },
)
const param = fc.oneof(
  categories.map((values) => ({ name: 'category', values })),
  fc.constantFrom('O1', 'O2').map((id) => ({ name: '_id', values: [id] })),
  fc.constantFrom('2345-7', '8867-4').map((code) => ({ name: 'code', values: [code] })),
)
const contexts = fc.constantFrom('patient' as const, 'user' as const, 'system' as const)
const anyScope: fc.Arbitrary<ResourceScope> = fc.record(
  {
    kind: fc.constant('resource' as const),
    context: contexts,
    type: fc.constantFrom('*', ...TYPES),
    letters,
    params: fc.oneof(fc.constant([]), fc.array(param, { maxLength: 2 })),
  },
  { noNullPrototype: true },
)
const scope = anyScope.filter((each) => parseScope(formatScope(each)).ok)
const scopes = fc.array(scope, { maxLength: 4 })
const interaction = fc.constantFrom(...(Object.keys(INTERACTION_LETTERS) as Interaction[]))
const type = fc.constantFrom<string>(...TYPES, 'Provenance', 'AuditEvent', 'StructureDefinition')
const letter = fc.constantFrom(...LETTERS)

const coding = fc.record(
  { system: fc.constantFrom(SYSTEM, 'http://other.example'), code: fc.constantFrom(...CATEGORIES) },
  { noNullPrototype: true },
)
const resource: fc.Arbitrary<FhirResource> = fc
  .record(
    {
      resourceType: fc.constantFrom(...TYPES),
      id: fc.constantFrom('O1', 'O2', 'P1', 'P2'),
      patient: fc.constantFrom('P1', 'P2', undefined),
      coding: fc.array(coding, { maxLength: 2 }),
      code: fc.constantFrom('2345-7', '8867-4'),
    },
    { noNullPrototype: true },
  )
  .map(({ resourceType, id, patient, coding: codings, code }): FhirResource => {
    if (resourceType === 'Patient' || resourceType === 'Practitioner') return { resourceType, id }
    return {
      resourceType,
      id,
      ...(patient === undefined ? {} : { subject: { reference: `Patient/${patient}` } }),
      ...(resourceType === 'Encounter'
        ? {}
        : {
            category: codings.map((each) => ({ coding: [each] })),
            code: { coding: [{ system: 'http://loinc.org', code }] },
          }),
    }
  })

const policy: fc.Arbitrary<AccessPolicy> = fc
  .record(
    {
      userPolicy: fc.constantFrom('all' as const, 'none' as const),
      systemOnUserToken: fc.constantFrom('void' as const, 'allow' as const),
      compartment: fc.constantFrom('guarded' as const, 'definition' as const, 'primary' as const),
    },
    { noNullPrototype: true },
  )
  .map((some) => ({ ...DEFAULT_POLICY, ...some }))
const caller = fc
  .record(
    {
      patient: fc.constantFrom('P1', 'P2', undefined),
      fhirUser: fc.constantFrom('Practitioner/PR1', 'Patient/P1', 'Patient/P2', undefined),
    },
    { noNullPrototype: true },
  )
  .map(({ patient, fhirUser }) => ({
    issuer: 'https://idp.example',
    subject: 's',
    clientId: 'c',
    ...(patient === undefined ? {} : { patient }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
  }))
type SomeCaller = Omit<GrantedToken, 'scope'>

function compile(some: readonly ResourceScope[], who: SomeCaller, rules: AccessPolicy, extra = '') {
  return compileAccess({ ...who, scope: `${some.map(formatScope).join(' ')} ${extra}` }, rules)
}
function permitsLetter({ access }: CompiledAccess, each: Letter, what: FhirResource): boolean {
  const matcher = compilePredicate(what.resourceType, allowedFor(access, each, what.resourceType))
  assert.ok(matcher.sync)
  return matcher.test(what)
}

// ── syntax ───────────────────────────────────────────────────────────────────────────────────────

test('every text gets an answer, and what is accepted is plain or says the same again', () => {
  const clinical = fc
    .tuple(
      fc.constantFrom('patient/', 'user/', 'system/', 'Patient/', ''),
      fc.constantFrom('Observation', '*', 'observation', 'Foo', ''),
      fc.constantFrom('.', ''),
      fc.string({ unit: fc.constantFrom(...'crudsread*x.'), maxLength: 6 }),
      fc.constantFrom('', '?', '?category=', '?category=a', '?category:not=a', '?code=a&b'),
      fc.string({ maxLength: 8 }),
    )
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(fc.string(), clinical), (text) => {
      const parsed = parseScope(text)
      if (!parsed.ok) return
      const again = parseScope(formatScope(parsed.scope))
      assert.deepEqual(again, parsed)
      if (parsed.scope.kind === 'plain') assert.doesNotMatch(text, /^(patient|user|system)\//i)
      else
        assert.ok(
          parsed.scope.letters.length > 0 &&
            parsed.scope.params.every(({ values }) => values.length > 0),
        )
    }),
    { numRuns: 2000 },
  )
})

test('format then parse gives the same scope, whatever its values hold', () => {
  const value = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed())
    .map(escapeValue)
  const values = fc.array(value, { minLength: 1, maxLength: 3 })
  const params = fc.array(
    fc.record(
      { name: fc.constantFrom('code', 'status', 'category'), values },
      { noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(anyScope, params, (each, some) => {
      const wanted = { ...each, type: 'Observation', params: some }
      const parsed = parseScope(formatScope(wanted))
      assert.ok(parsed.ok, formatScope(wanted))
      assert.deepEqual(parsed.scope, wanted)
    }),
  )
})

test('a list is parsed as its parts, and nothing is lost on the way', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          scope.map(formatScope),
          fc.constantFrom('openid', 'patient/x.rs', 'patient/Observation.sr'),
        ),
      ),
      (texts) => {
        const { scopes: good, problems } = parseScopes(texts.join(' '))
        assert.equal(good.length + problems.length, new Set(texts).size)
      },
    ),
  )
})

// ── access ───────────────────────────────────────────────────────────────────────────────────────

test('adding a scope never takes access away', () => {
  fc.assert(
    fc.property(
      scopes,
      scope,
      caller,
      policy,
      interaction,
      resource,
      (some, extra, who, rules, what, data) => {
        const before = compile(some, who, rules)
        const after = compile([...some, extra], who, rules)
        const request = { interaction: what, type: data.resourceType }
        if (decide(before, request).allowed) assert.ok(decide(after, request).allowed)
        for (const each of LETTERS)
          if (permitsLetter(before, each, data)) assert.ok(permitsLetter(after, each, data))
      },
    ),
    { numRuns: 500 },
  )
})

test('several scopes permit exactly what any of them permits', () => {
  fc.assert(
    fc.property(scopes, caller, policy, letter, resource, (some, who, rules, each, data) => {
      const together = permitsLetter(compile(some, who, rules), each, data)
      const alone = some.some((one) => permitsLetter(compile([one], who, rules), each, data))
      assert.equal(together, alone)
    }),
    { numRuns: 1000 },
  )
})

test('a patient scope permits what its words say, judged by hand', () => {
  fc.assert(
    fc.property(scope, letter, resource, (one, each, data) => {
      const granted = { ...one, context: 'patient' as const }
      const who = { issuer: 'i', subject: 's', clientId: 'c', patient: 'P1' }
      const actual = permitsLetter(compile([granted], who, DEFAULT_POLICY), each, data)
      assert.equal(actual, byHand(granted, each, data))
    }),
    { numRuns: 1000 },
  )
})

function byHand(granted: ResourceScope, each: Letter, data: FhirResource): boolean {
  if (!granted.letters.includes(each)) return false
  if (granted.type !== '*' && granted.type !== data.resourceType) return false
  const subject = data.subject as { reference: string } | undefined
  const inContext =
    data.resourceType === 'Patient'
      ? data.id === 'P1'
      : data.resourceType === 'Practitioner'
        ? each === 'r' || each === 's'
        : subject?.reference === 'Patient/P1'
  const codesOf = (element: string) =>
    [data[element] ?? []]
      .flat()
      .flatMap((concept) => (concept as { coding: { system: string; code: string }[] }).coding)
  return (
    inContext &&
    granted.params.every(({ name, values }) => {
      if (name === '_id') return values.includes(data.id!)
      return codesOf(name).some(
        ({ system, code }) => values.includes(code) || values.includes(`${system}|${code}`),
      )
    })
  )
}

test('a letter that is taken away changes nothing for the others', () => {
  fc.assert(
    fc.property(scopes, letter, caller, policy, (some, gone, who, rules) => {
      const before = compile(some, who, rules)
      const rest = some
        .map((each) => ({ ...each, letters: each.letters.filter((one) => one !== gone) }))
        .filter((each) => each.letters.length > 0)
      const after = compile(rest, who, rules)
      for (const each of LETTERS)
        assert.deepEqual(
          after.access.allowed[each],
          each === gone ? new Map() : before.access.allowed[each],
        )
    }),
  )
})

test('a claim that is missing never widens', () => {
  fc.assert(
    fc.property(
      scopes,
      caller,
      policy,
      fc.constantFrom('patient', 'fhirUser'),
      letter,
      resource,
      (some, who, rules, claim, each, data) => {
        const { [claim as 'patient']: _, ...without } = who
        // Without its user a token may be a system's; only `hasUser` keeps the difference.
        const poorer = { ...without, hasUser: who.fhirUser !== undefined }
        if (permitsLetter(compile(some, poorer, rules), each, data))
          assert.ok(permitsLetter(compile(some, who, rules), each, data))
      },
    ),
    { numRuns: 500 },
  )
})

test('a scope that is void changes nothing but the report of it', () => {
  const broken = fc.constantFrom(
    'patient/Observation.sr',
    'patient/*.rs?',
    'system/*.rs?x=y',
    'user/Observation.rs?category:not=a',
    'patient/Observation.reads',
    'system/*.',
    'patient/observation.cruds',
  )
  fc.assert(
    fc.property(scopes, broken, caller, policy, (some, text, who, rules) => {
      const before = compile(some, who, rules)
      const after = compile(some, who, rules, text)
      assert.deepEqual(after.access, before.access)
      assert.ok(
        after.voided.some((each) => each.scope === text && each.why !== '' && each.fix !== ''),
      )
    }),
  )
})

test('every scope of a token is accounted for: granted, void with a reason, or plain', () => {
  fc.assert(
    fc.property(scopes, caller, policy, (some, who, rules) => {
      const { grants, voided, plain } = compile(some, who, rules, 'openid')
      assert.equal(
        grants.length + voided.length + plain.length,
        new Set(some.map(formatScope)).size + 1,
      )
      for (const each of voided) assert.ok(each.why !== '' && each.fix !== '', each.scope)
    }),
  )
})

test('the fingerprint does not know the order of the scopes, and knows everything else', () => {
  fc.assert(
    fc.property(
      scopes,
      scopes,
      caller,
      caller,
      policy,
      resource,
      (some, other, who, whom, rules, data) => {
        const one = compile(some, who, rules)
        const { fingerprint } = compile([...some].reverse(), who, rules).access
        assert.equal(fingerprint, one.access.fingerprint)
        const another = compile(other, whom, rules)
        if (another.access.fingerprint !== fingerprint) return
        assert.deepEqual(whom, who)
        for (const each of LETTERS)
          assert.equal(permitsLetter(another, each, data), permitsLetter(one, each, data))
      },
    ),
    { numRuns: 500 },
  )
})

// ── decide ───────────────────────────────────────────────────────────────────────────────────────

test('decide agrees with the filter', () => {
  fc.assert(
    fc.property(scopes, caller, policy, interaction, type, (some, who, rules, what, which) => {
      const compiled = compile(some, who, rules)
      const decision = decide(compiled, { interaction: what, type: which })
      const predicate = allowedFor(compiled.access, INTERACTION_LETTERS[what], which)
      assert.equal(decision.allowed, predicate.kind !== 'none')
      if (decision.allowed) assert.deepEqual(decision.predicate, predicate)
    }),
    { numRuns: 500 },
  )
})

test('a decision weighs every scope, and one that says yes has a scope that covers', () => {
  fc.assert(
    fc.property(scopes, caller, policy, interaction, type, (some, who, rules, what, which) => {
      const decision = decide(compile(some, who, rules, 'openid'), {
        interaction: what,
        type: which,
      })
      assert.equal(decision.because.length, new Set(some.map(formatScope)).size + 1)
      assert.equal(
        decision.because.some(({ says }) => says === 'covers'),
        decision.allowed,
      )
      assert.equal(
        decision.checks.some(({ outcome }) => outcome === 'fail'),
        !decision.allowed,
      )
    }),
    { numRuns: 500 },
  )
})

// ── meet and covers ──────────────────────────────────────────────────────────────────────────────

test('what is granted permits exactly what both requested and allowed permit', () => {
  fc.assert(
    fc.property(
      contexts,
      scopes,
      scopes,
      caller,
      policy,
      letter,
      resource,
      (context, a, b, who, rules, each, data) => {
        const here = (some: readonly ResourceScope[]) => some.map((one) => ({ ...one, context }))
        const met = meet(here(a), here(b)).granted.filter((one) => one.kind === 'resource')
        const both = [here(a), here(b)].every((some) =>
          permitsLetter(compile(some, who, rules), each, data),
        )
        assert.equal(permitsLetter(compile(met, who, rules), each, data), both)
      },
    ),
    { numRuns: 1500 },
  )
})

test('nothing is granted beyond the request, nor beyond what is allowed', () => {
  fc.assert(
    fc.property(scopes, scopes, (requested, allowed) => {
      for (const each of meet(requested, allowed).granted) {
        assert.ok(requested.some((one) => covers(one, each)))
        assert.ok(coversTogether(allowed, each))
        assert.ok(parseScope(formatScope(each)).ok)
      }
    }),
    { numRuns: 500 },
  )
})

test('a request met with itself is granted whole', () => {
  fc.assert(
    fc.property(scopes, (all) => {
      // A scope for two ids at once permits nothing, so nothing of it is granted.
      const ids = ({ params }: ResourceScope) => params.filter(({ name }) => name === '_id')
      const some = all.filter((each) => new Set(ids(each).flatMap(({ values }) => values)).size < 2)
      const { granted, refused, narrowed } = meet(some, some)
      assert.deepEqual([refused, narrowed], [[], []])
      for (const each of some) assert.ok(coversTogether(granted, each))
    }),
  )
})

test('a scope that covers another permits all that the other permits', () => {
  fc.assert(
    fc.property(
      scope,
      scope,
      caller,
      policy,
      letter,
      resource,
      (wide, narrow, who, rules, each, data) => {
        if (!covers(wide, narrow)) return
        if (permitsLetter(compile([narrow], who, rules), each, data))
          assert.ok(permitsLetter(compile([wide], who, rules), each, data))
      },
    ),
    { numRuns: 3000 },
  )
})
