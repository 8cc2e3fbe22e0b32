import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { searchParameter } from '@scopegate/fhir-model'
import { sampleResources } from '@scopegate/lab'
import { callerOf, EVERYTHING, type FhirCaller, linkOf } from './fhir-caller.ts'
import { FIXTURE } from './fixture.ts'
import { openHarness } from './open-harness.ts'

// http.html#capabilities. Items 39 to 41; what is exercised is read from /metadata alone.
const harness = await openHarness()

interface Listed {
  readonly type: string
  readonly interaction: readonly { readonly code: string }[]
  readonly updateCreate: boolean
  readonly conditionalCreate: boolean
  readonly conditionalUpdate: boolean
  readonly conditionalDelete: string
  readonly searchParam: readonly {
    readonly name: string
    readonly type: string
    readonly definition: string
  }[]
  readonly searchInclude?: readonly string[]
  readonly searchRevInclude?: readonly string[]
  readonly operation?: readonly unknown[]
}

describe('capabilities', () => {
  let all: FhirCaller
  let anybody: FhirCaller
  let listed: readonly Listed[]
  /** A body of a type that is valid, where one is known. */
  const examples = new Map<string, { resourceType: string; id?: string }>()

  before(async () => {
    await harness.reset(FIXTURE)
    all = await callerOf(harness, EVERYTHING)
    anybody = await callerOf(harness)
    listed = (await anybody('GET metadata')).json.rest[0].resource
    for (const resource of sampleResources()) examples.set(resource.resourceType, resource)
    for (const step of FIXTURE)
      if (step.kind === 'put') examples.set(step.resource.resourceType, step.resource)
  })
  after(() => harness.close())

  test('39 /metadata needs no token and says what the server is', async () => {
    const { status, json } = await anybody('GET metadata')
    assert.equal(status, 200)
    assert.equal(json.resourceType, 'CapabilityStatement')
    assert.equal(json.fhirVersion, '4.0.1')
    assert.equal(json.kind, 'instance')
    assert.equal(json.status, 'active')
    assert.equal(json.implementation.url, harness.baseUrl)
    assert.ok(json.format.includes('application/fhir+json') || json.format.includes('json'))
    assert.ok(!json.format.some((format: string) => format.includes('xml')))
    const [rest] = json.rest
    assert.equal(rest.mode, 'server')
    assert.equal(rest.security.service[0].coding[0].code, 'SMART-on-FHIR')
    assert.deepEqual(rest.interaction.map(({ code }: { code: string }) => code).sort(), [
      'batch',
      'transaction',
    ])
    assert.equal(listed.length, new Set(listed.map(({ type }) => type)).size)
  })

  test('39 every resource lists only what works, its parameters with their canonical definitions', () => {
    assert.ok(listed.length > 140)
    for (const resource of listed) {
      const names = resource.searchParam.map(({ name }) => name)
      assert.equal(names.length, new Set(names).size, resource.type)
      for (const { name, definition } of resource.searchParam)
        assert.match(
          definition,
          /^http:\/\/hl7\.org\/fhir\/SearchParameter\/[\w-]+$/,
          `${resource.type} ${name}`,
        )
      assert.equal(resource.conditionalCreate, false)
      assert.equal(resource.conditionalUpdate, false)
      assert.equal(resource.conditionalDelete, 'not-supported')
      assert.equal(resource.operation, undefined)
    }
  })

  test('40 every interaction that is listed is carried out', async () => {
    let whole = 0
    await inParallel(listed, async ({ type, interaction, updateCreate }) => {
      const codes = new Set(interaction.map(({ code }) => code))
      for (const code of codes) assert.ok(EXERCISED.has(code), `${type} lists ${code}`)
      const body = { ...(examples.get(type) ?? { resourceType: type }), id: 'exercise' }
      const created = await all(`PUT ${type}/exercise`, { body })
      if (created.status === 422) {
        // No example is known: the type is refused for its content, not for the interaction.
        assert.equal((await all(`POST ${type}`, { body })).status, 422)
        assert.equal((await all(`GET ${type}/exercise`)).status, 404)
        return
      }
      whole += 1
      assert.equal(created.status, 201, `${type} ${created.text}`)
      assert.ok(updateCreate)
      assert.equal((await all(`POST ${type}`, { body })).status, 201)
      assert.equal((await all(`GET ${type}/exercise`)).status, 200)
      assert.equal((await all(`GET ${type}/exercise/_history/1`)).status, 200)
      assert.equal(
        (await all(`PUT ${type}/exercise`, { body: { ...body, language: 'en' } })).status,
        200,
      )
      assert.equal((await all(`GET ${type}/exercise/_history`)).json.total, 2)
      assert.equal((await all(`GET ${type}?_id=exercise`)).json.total, 1)
      assert.equal((await all(`DELETE ${type}/exercise`)).status, 204)
      assert.equal((await all(`GET ${type}/exercise`)).status, 410)
    })
    assert.ok(whole > 30, `${whole} types`)
  })

  test('40 every search parameter that is listed is understood', async () => {
    const searches = listed.flatMap(({ type, searchParam }) =>
      searchParam.map((each) => ({ type, name: each.name, value: valueFor(type, each) })),
    )
    assert.ok(searches.length > 2000)
    await inParallel(searches, async ({ type, name, value }) => {
      const search = `${type}?${name}=${encodeURIComponent(value)}`
      const answer = await all(`GET ${search}&_count=1`, { headers: { prefer: 'handling=strict' } })
      assert.equal(answer.status, 200, `${search} ${answer.text}`)
      assert.ok(new URL(linkOf(answer, 'self')!).searchParams.has(name), search)
    })
  })

  test('40 every include that is listed is followed', async () => {
    await inParallel(listed, async ({ type, searchInclude = [], searchRevInclude = [] }) => {
      const wishes = [
        ...searchInclude.map((value) => `_include=${value}`),
        ...searchRevInclude.map((value) => `_revinclude=${value}`),
      ]
      for (let from = 0; from < wishes.length; from += 40) {
        const some = wishes.slice(from, from + 40).join('&')
        const answer = await all(`GET ${type}?_count=1&${some}`, {
          headers: { prefer: 'handling=strict' },
        })
        assert.equal(answer.status, 200, `${type} ${some} ${answer.text}`)
      }
    })
  })

  test('40 what is not listed does not answer 200', async () => {
    const names = [
      ...new Set(listed.flatMap(({ searchParam }) => searchParam.map(({ name }) => name))),
    ]
    await inParallel(listed, async ({ type, searchParam, searchInclude = [] }) => {
      const own = new Set(searchParam.map(({ name }) => name))
      const foreign = names.filter((name) => !own.has(name))
      for (let step = 0; step < 12; step += 1) {
        const name = foreign[(step * 97 + type.length * 13) % foreign.length]!
        const answer = await all(`GET ${type}?${name}=x`, {
          headers: { prefer: 'handling=strict' },
        })
        assert.equal(answer.status, 400, `${type}?${name}`)
        if (!searchInclude.includes(`${type}:${name}`))
          assert.equal(
            (await all(`GET ${type}?_include=${type}:${name}`)).status,
            400,
            `${type}:${name}`,
          )
      }
      const body = { resourceType: type, id: 'x' }
      for (const [request, sent] of [
        [`PATCH ${type}/P1`, '[]'],
        [`GET ${type}/_history`],
        [`PUT ${type}?_id=x`, body],
        [`DELETE ${type}?_id=x`],
        [`GET ${type}/P1/$everything`],
        [`POST ${type}/$validate`, body],
        [`GET ${type}/$export`],
        [`GET Patient/P1/${type}`],
        [`GET ${type}/x/$meta`],
      ] as const) {
        const { status, json } = await all(request, { body: sent })
        assert.ok(status >= 400 && status < 500, `${request} ${status}`)
        assert.equal(json.resourceType, 'OperationOutcome')
      }
    })
    for (const request of [
      'GET _history',
      'GET ?_type=Patient',
      'GET $export',
      'POST $graphql',
      'GET nonsense',
      'GET metadata/x',
      'GET StructureMap/$transform',
    ])
      assert.ok((await all(request)).status >= 404, request)
  })

  test('41 mode, ETag and caching of the statement', async () => {
    const full = await anybody('GET metadata?mode=full')
    assert.deepEqual(full.json.rest[0].resource, listed)
    const normative = await anybody('GET metadata?mode=normative')
    assert.equal(normative.status, 200)
    assert.ok(normative.json.rest[0].resource.length < listed.length)
    // No terminology service is offered.
    assert.equal((await anybody('GET metadata?mode=terminology')).status, 400)
    assert.equal((await anybody('GET metadata?mode=nonsense')).status, 400)
    const etag = full.headers.get('etag')!
    const known = await anybody('GET metadata', { headers: { 'if-none-match': etag } })
    assert.equal(known.status, 304)
    assert.match(full.headers.get('cache-control') ?? '', /max-age=\d+/)
    assert.equal((await anybody('GET metadata?_format=xml')).status, 406)
  })
})

const EXERCISED: ReadonlySet<string> = new Set([
  ...['read', 'vread', 'history-instance', 'search-type', 'create', 'update', 'delete'],
])

function valueFor(type: string, { name, type: kind }: { name: string; type: string }): string {
  if (kind !== 'composite') return SAMPLES[kind] ?? 'true'
  const components = searchParameter(type, name)?.components ?? []
  return components.map((component) => SAMPLES[component.type] ?? 'true').join('$')
}

const SAMPLES: Readonly<Record<string, string>> = {
  date: '2020-01',
  number: '1',
  quantity: '1',
  uri: 'http://example.org/x',
  reference: 'x',
  string: 'x',
  token: 'true',
}

async function inParallel<T>(list: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = list.values()
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const one of queue) await work(one)
    }),
  )
}
