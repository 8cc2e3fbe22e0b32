import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { CALLER_DETAILS, type CallerDetail } from '@scopegate/checks'
import { allowedFor, compilePredicate, type FhirResource } from '@scopegate/fhir-model'
import { compileAccess, DEFAULT_POLICY } from '@scopegate/smart-scopes'
import { FIXTURE, type FixtureStep } from './fixture.ts'
import type { TokenWish } from './harness.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'
import { steadyAnswer } from './steady-answer.ts'

/**
 * INV1 of enforcement.md 5.1: what a token cannot see does not change what it gets. Every request
 * is answered twice, the second time without (or with other) hidden resources.
 */
const TOKENS: readonly TokenWish[] = [
  { scope: 'patient/Patient.rs patient/Observation.rs{LAB}', patient: 'P1' },
  { scope: 'patient/*.rs{VS} patient/Patient.rs patient/Encounter.rs', patient: 'P1' },
  {
    scope: 'patient/Observation.r{SH} patient/Observation.s{LAB} patient/DiagnosticReport.rs',
    patient: 'P1',
  },
  { scope: 'patient/Observation.rs patient/Condition.rs patient/Practitioner.rs', patient: 'P2' },
  {
    scope:
      'system/Patient.rs system/Encounter.s system/Observation.rs?code={LN}|2345-7&category={OC}|laboratory',
  },
  { scope: 'user/Observation.rs{LAB} user/Patient.r', fhirUser: 'Patient/P1' },
]

const REQUESTS = [
  'Observation',
  'Observation?_sort=-date&_count=2',
  'Observation?_sort=code,-_lastUpdated',
  'Observation?_summary=count',
  'Observation?_total=accurate&_count=1',
  'Observation?_id=O1,O2,O3,O4,O5,O6,O7,O8,O9,O10,O11,O12',
  'Observation?identifier=hid',
  'Observation?identifier=abc',
  'Observation?code:not={LN}|2345-7',
  'Observation?category:missing=true',
  'Observation?category:not={OC}|laboratory',
  'Observation?performer=Practitioner/PR2',
  'Observation?encounter=E3',
  'Observation?patient=P2',
  'Observation?subject:Patient.name=Ben',
  'Observation?subject.name=Ana',
  'Observation?encounter.status=finished',
  'Observation?_include=*',
  'Observation?_include=Observation:encounter&_include=Observation:performer&_include:iterate=Encounter:subject',
  'Patient',
  'Patient?_has:Observation:patient:code={LN}|8867-4',
  'Patient?_has:Observation:patient:identifier=hid',
  'Patient?_revinclude=*',
  'Patient?_revinclude=Observation:subject&_revinclude:iterate=DiagnosticReport:result',
  'Encounter?_revinclude=Observation:encounter',
  'Encounter?_has:Observation:encounter:code={LN}|8867-4',
  'DiagnosticReport?result.code={LN}|8867-4',
  'DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:encounter',
  'Condition?category={CC}|problem-list-item',
  ...['O1', 'O2', 'O5', 'O7', 'O9', 'O11', 'O12', 'nope'].flatMap((id) => [
    `Observation/${id}`,
    `Observation/${id}/_history`,
    `Observation/${id}/_history/1`,
  ]),
  'Patient/P2',
  'Condition/C3',
  'Encounter/E3?_summary=true',
]

for (const callers of CALLER_DETAILS) await judge(callers)

async function judge(callers: CallerDetail): Promise<void> {
  const harness = await openHarness({}, callers)

  describe(`hidden is absent, callers read ${callers}`, () => {
    after(() => harness.close())

    for (const wish of TOKENS)
      test(`${wish.scope} (${wish.patient ?? wish.fhirUser ?? 'a system'})`, async () => {
        const { kept, hidden } = split(wish)
        assert.ok(hidden.size > 0)
        const worlds: readonly (readonly [name: string, steps: readonly FixtureStep[]])[] = [
          ['as it is', kept.concat()],
          ['without what is hidden', kept.filter((step) => !hidden.has(keyOf(step)))],
          [
            'with other content in what is hidden',
            kept.map((step) => (hidden.has(keyOf(step)) ? altered(step) : step)),
          ],
        ]
        const answers: string[][] = []
        for (const [, steps] of worlds) {
          await harness.reset(steps)
          answers.push(await Promise.all(REQUESTS.map((path) => steadyAnswer(harness, wish, path))))
        }
        for (const [world, [name]] of worlds.entries())
          for (const [index, path] of REQUESTS.entries())
            assert.equal(answers[world]![index], answers[0]![index], `${name}: ${path}`)
        assert.ok(answers[0]!.filter((answer) => answer.startsWith('200')).length > 5)
      })

    test('whoever sees everything gets other answers: the comparison can fail', async () => {
      const everything: TokenWish = { scope: 'system/*.rs' }
      const { kept, hidden } = split(TOKENS[0]!)
      const answers: string[] = []
      for (const steps of [kept, kept.filter((step) => !hidden.has(keyOf(step)))]) {
        await harness.reset(steps)
        for (const path of [
          'Observation',
          'Observation?_summary=count',
          'Patient?_revinclude=*',
          'Observation/O2',
        ])
          answers.push(await steadyAnswer(harness, everything, path))
      }
      for (const index of [0, 1, 2, 3]) assert.notEqual(answers[index], answers[index + 4])
    })
  })
}

/**
 * The steps, and the instances of which the token sees no version. Types that are visible through
 * others are left out of all worlds.
 */
function split(wish: TokenWish): {
  readonly kept: readonly FixtureStep[]
  readonly hidden: ReadonlySet<string>
} {
  const { access } = compileAccess(
    { issuer: 'i', subject: 's', clientId: 'c', ...wish, scope: expand(wish.scope) },
    DEFAULT_POLICY,
  )
  const isVisible = (resource: FhirResource): boolean | undefined => {
    const answers = (['r', 's'] as const).map((letter) => {
      const type = resource.resourceType
      const matcher = compilePredicate(type, allowedFor(access, letter, type))
      return matcher.sync ? matcher.test(resource) : undefined
    })
    return answers.includes(undefined) ? undefined : answers.includes(true)
  }
  const kept = FIXTURE.filter(
    (step) => step.kind === 'delete' || isVisible(step.resource) !== undefined,
  )
  // Versions from when it was visible stay hidden while the current one is: the last decides.
  const last = new Map(
    kept.flatMap((step) => (step.kind === 'put' ? [[keyOf(step), step.resource] as const] : [])),
  )
  const hidden = new Set(
    [...last].filter(([, resource]) => isVisible(resource) === false).map(([key]) => key),
  )
  return { kept, hidden }
}

function keyOf(step: FixtureStep): string {
  return step.kind === 'put'
    ? `${step.resource.resourceType}/${step.resource.id}`
    : `${step.type}/${step.id}`
}

/** Other values in elements that no scope of the tokens looks at, so that it stays hidden. */
function altered(step: FixtureStep): FixtureStep {
  if (step.kind === 'delete' || step.resource.resourceType !== 'Observation') return step
  return {
    kind: 'put',
    resource: {
      ...step.resource,
      identifier: [{ value: 'altered' }],
      status: 'amended',
      effectiveDateTime: '2020-02-02',
      note: [{ text: 'altered' }],
    },
  }
}
