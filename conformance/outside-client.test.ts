import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Client, type FhirResource } from 'fhir-kit-client'
import { FIXTURE, observation } from './fixture.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

// A FHIR client that was not written here: https://github.com/Vermonster/fhir-kit-client
const harness = await openHarness()

// biome-ignore lint/suspicious/noExplicitAny: resources of many types
type Any = any

describe('fhir-kit-client', () => {
  let client: Client

  const clientOf = async (scope: string, patient?: string): Promise<Client> =>
    new Client({
      baseUrl: harness.baseUrl,
      bearerToken: await harness.mint({ scope, ...(patient === undefined ? {} : { patient }) }),
    })

  before(async () => {
    client = await clientOf('system/*.cruds')
  })
  beforeEach(() => harness.reset(FIXTURE))
  after(() => harness.close())

  test('reads the statement of the server', async () => {
    const statement: Any = await client.capabilityStatement()
    assert.equal(statement.fhirVersion, '4.0.1')
  })

  test('reads, and reads a version', async () => {
    const patient: Any = await client.read({ resourceType: 'Patient', id: 'P1' })
    assert.equal(patient.name[0].given[0], 'Ana')
    const version: Any = await client.vread({
      resourceType: 'Observation',
      id: 'O10',
      version: '1',
    })
    assert.equal(version.subject.reference, 'Patient/P2')
    await assert.rejects(client.read({ resourceType: 'Patient', id: 'nope' }), refusedWith(404))
  })

  test('searches, and walks the pages', async () => {
    for (const options of [undefined, { postSearch: true }] as const) {
      const seen: string[] = []
      let bundle: Any = await client.search({
        resourceType: 'Observation',
        searchParams: { patient: 'P1', _count: '2', _sort: 'date' },
        ...(options === undefined ? {} : { options: options as object }),
      })
      assert.equal(bundle.total, 9)
      while (bundle !== undefined) {
        seen.push(...bundle.entry.map((entry: Any) => entry.resource.id))
        bundle = await client.nextPage({ bundle })
      }
      assert.equal(seen.length, 9)
      assert.equal(new Set(seen).size, 9)
    }
    const lab = await clientOf(expand('patient/Observation.rs{LAB}'), 'P1')
    const narrowed: Any = await lab.search({ resourceType: 'Observation', searchParams: {} })
    assert.equal(narrowed.total, 4)
  })

  test('creates, updates with If-Match, deletes, and reads the history of it', async () => {
    const created: Any = await client.create({
      resourceType: 'Observation',
      body: observation({ patient: 'P1', categories: ['laboratory'] }) as FhirResource,
    })
    assert.equal(created.meta.versionId, '1')
    const { id } = created
    const updated: Any = await client.update({
      resourceType: 'Observation',
      id,
      body: { ...created, status: 'amended' },
      options: { headers: { 'If-Match': 'W/"1"' } },
    })
    assert.equal(updated.meta.versionId, '2')
    await assert.rejects(
      client.update({
        resourceType: 'Observation',
        id,
        body: created,
        options: { headers: { 'If-Match': 'W/"1"' } },
      }),
      refusedWith(412),
    )
    await client.delete({ resourceType: 'Observation', id })
    await assert.rejects(client.read({ resourceType: 'Observation', id }), refusedWith(410))
    const history: Any = await client.history({ resourceType: 'Observation', id })
    assert.deepEqual(
      history.entry.map((entry: Any) => entry.request.method),
      ['DELETE', 'PUT', 'POST'],
    )
  })

  test('sends a batch and a transaction', async () => {
    const batch: Any = await client.batch({
      body: {
        resourceType: 'Bundle',
        type: 'batch',
        entry: [
          { request: { method: 'GET', url: 'Patient/P1' } },
          { request: { method: 'GET', url: 'Patient/nope' } },
        ],
      } as FhirResource,
    })
    assert.deepEqual(
      batch.entry.map((entry: Any) => Number.parseInt(entry.response.status, 10)),
      [200, 404],
    )
    const urn = 'urn:uuid:3d5f0e52-1d2f-4b5e-8f1c-0a3d3c5f7a10'
    const transaction: Any = await client.transaction({
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          {
            fullUrl: urn,
            resource: { resourceType: 'Patient' },
            request: { method: 'POST', url: 'Patient' },
          },
          {
            resource: { ...observation({}), subject: { reference: urn } },
            request: { method: 'POST', url: 'Observation' },
          },
        ],
      } as FhirResource,
    })
    const [patient, seen] = transaction.entry.map((entry: Any) => entry.response.location)
    const stored: Any = await client.resolve({ reference: seen })
    assert.ok(patient.includes(stored.subject.reference))
  })

  test('is told why it is refused', async () => {
    const lab = await clientOf(expand('patient/Observation.rs{LAB}'), 'P1')
    await assert.rejects(lab.search({ resourceType: 'Condition' }), (error: Any) => {
      assert.equal(error.response.status, 403)
      assert.equal(error.response.data.resourceType, 'OperationOutcome')
      return true
    })
  })
})

function refusedWith(status: number): (error: Any) => boolean {
  return (error) => error.response?.status === status
}
