import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'

// Ported from Inferno's group `g10_smart_fine_grained_scopes_stu2_2` (9.23, 9.25), which launches
// twice, each time with half of the granular scopes of US Core, and compares what each launch sees
// with what a token for everything sees.
const OC = 'http://terminology.hl7.org/CodeSystem/observation-category'
const CC = 'http://terminology.hl7.org/CodeSystem/condition-category'
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem'
const BASE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'
const HALVES = {
  'granular scopes 1': [
    `patient/Condition.rs?category=${CC}|encounter-diagnosis`,
    `patient/Condition.rs?category=${US_CORE}/condition-category|health-concern`,
    `patient/Observation.rs?category=${OC}|laboratory`,
    `patient/Observation.rs?category=${OC}|social-history`,
  ],
  'granular scopes 2': [
    `patient/Condition.rs?category=${CC}|problem-list-item`,
    `patient/Observation.rs?category=${OC}|vital-signs`,
    `patient/Observation.rs?category=${OC}|survey`,
    `patient/Observation.rs?category=${US_CORE}/us-core-category|sdoh`,
  ],
}

interface Bundle {
  readonly entry?: readonly { readonly resource: Coded }[]
}
interface Coded {
  readonly id: string
  readonly category?: readonly { readonly coding?: readonly { system: string; code: string }[] }[]
}

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({
  scopes: `${BASE} patient/Condition.rs patient/Observation.rs`,
  as: 'secret',
})
const person = await server.user()

async function searchAll(token: string, type: string): Promise<readonly Coded[]> {
  const response = await server.fhir(token, `${type}?patient=patient-1&_count=1000`)
  assert.equal(response.status, 200)
  return ((await response.json()) as Bundle).entry?.map(({ resource }) => resource) ?? []
}

const everything = await server.launch(app, person, {
  scope: `${BASE} patient/Condition.rs patient/Observation.rs`,
  patient: 'patient-1',
})

for (const [name, granular] of Object.entries(HALVES)) {
  describe(`g10_smart_fine_grained_scopes_stu2_2, ${name}`, async () => {
    const launched = await server.launch(app, person, {
      scope: `${BASE} ${granular.join(' ')}`,
      patient: 'patient-1',
    })

    test('the granular scopes are granted as they were asked for', () => {
      const granted = launched.token.scope?.split(' ') ?? []
      for (const scope of granular) assert.ok(granted.includes(scope), scope)
      assert.ok(!granted.some((scope) => /(Condition|Observation)\.[a-z]+$/.test(scope)))
    })

    for (const type of ['Condition', 'Observation']) {
      test(`a search for ${type} gives exactly what the scopes name`, async () => {
        const categories = granular
          .filter((scope) => scope.includes(`/${type}.`))
          .map((scope) => scope.split('category=')[1])
        const isNamed = ({ category = [] }: Coded) =>
          category.some(({ coding = [] }) =>
            coding.some(({ system, code }) => categories.includes(`${system}|${code}`)),
          )
        const expected = (await searchAll(everything.accessToken, type)).filter(isNamed)
        const seen = await searchAll(launched.accessToken, type)
        assert.deepEqual(
          seen.map(({ id }) => id).toSorted(),
          expected.map(({ id }) => id).toSorted(),
        )
      })

      test(`a read of ${type} finds these, and no other`, async () => {
        const seen = new Set((await searchAll(launched.accessToken, type)).map(({ id }) => id))
        const all = await searchAll(everything.accessToken, type)
        for (const { id } of all.slice(0, 25)) {
          const { status } = await server.fhir(launched.accessToken, `${type}/${id}`)
          assert.equal(status, seen.has(id) ? 200 : 404)
        }
      })
    }
  })
}
