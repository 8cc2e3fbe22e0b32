import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { FhirResource } from '@scopegate/fhir-model'
import type { FixtureStep } from './fixture.ts'
import type { Harness } from './harness.ts'
import { openHarness } from './open-harness.ts'

/**
 * INV2 of enforcement.md 5.1: no write opens what was hidden from its writer. A Binary is visible
 * through the documents that name it, and a Provenance through its targets, so that naming one must
 * need the right to see it.
 */
const TEXT = 'text/plain'
const put = (resource: FhirResource & { readonly id: string }): FixtureStep => ({
  kind: 'put',
  resource,
})
const STEPS: readonly FixtureStep[] = [
  put({ resourceType: 'Patient', id: 'P1' }),
  put({ resourceType: 'Patient', id: 'P2' }),
  put({ resourceType: 'Binary', id: 'loose', contentType: TEXT, data: 'c2VjcmV0' }),
  put({
    resourceType: 'Binary',
    id: 'guarded',
    contentType: TEXT,
    data: 'c2VjcmV0',
    securityContext: { reference: 'Patient/P2' },
  }),
  put({
    resourceType: 'Binary',
    id: 'own',
    contentType: TEXT,
    securityContext: { reference: 'Patient/P1' },
  }),
  put({ ...documentOf('P2', 'Binary/loose'), id: 'theirs' }),
  put({ ...documentOf('P1', 'Binary/own'), id: 'mine' }),
]

function documentOf(patient: string, ...urls: readonly string[]) {
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    subject: { reference: `Patient/${patient}` },
    content: urls.map((url) => ({ attachment: { url } })),
  }
}
const report = (url: string) => ({
  resourceType: 'DiagnosticReport',
  status: 'final',
  code: { text: 'a report' },
  subject: { reference: 'Patient/P1' },
  presentedForm: [{ url }],
})
const medium = (url: string) => ({
  resourceType: 'Media',
  status: 'completed',
  subject: { reference: 'Patient/P1' },
  content: { url },
})
const provenance = (...targets: readonly string[]) => ({
  resourceType: 'Provenance',
  recorded: '2024-01-01T00:00:00Z',
  agent: [{ who: { display: 'a device' } }],
  target: targets.map((reference) => ({ reference })),
})

describe('no write opens what was hidden', () => {
  let at: Harness
  before(async () => {
    at = await openHarness()
  })
  beforeEach(() => at.reset(STEPS))
  after(() => at.close())

  async function send(method: string, path: string, body?: object, scope = 'patient/*.cruds') {
    const token = await at.mint({ scope, patient: 'P1' })
    const response = await fetch(`${at.baseUrl}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text() }
  }
  const withoutId = (text: string) => text.replaceAll(/correlation id \w+/g, '')

  for (const id of ['loose', 'guarded', 'absent']) {
    const spellings = () => [
      `Binary/${id}`,
      `${at.baseUrl}/Binary/${id}`,
      `Binary/${id}/_history/1`,
    ]
    test(`a document that names Binary/${id} is refused`, async () => {
      for (const url of spellings())
        for (const body of [documentOf('P1', 'Binary/own', url), report(url), medium(url)]) {
          const { status } = await send('POST', body.resourceType, body)
          assert.equal(status, 403, `${body.resourceType} ${url}`)
        }
      assert.equal((await send('GET', `Binary/${id}`)).status, 404)
    })

    test(`an update that adds Binary/${id} is refused, alone and in a transaction`, async () => {
      const body = { ...documentOf('P1', 'Binary/own', `Binary/${id}`), id: 'mine' }
      assert.equal((await send('PUT', 'DocumentReference/mine', body)).status, 403)
      const { status } = await send('POST', '', {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          { resource: body, request: { method: 'PUT', url: 'DocumentReference/mine' } },
          {
            resource: report(`Binary/${id}`),
            request: { method: 'POST', url: 'DiagnosticReport' },
          },
        ],
      })
      assert.equal(status, 403)
      assert.equal((await send('GET', `Binary/${id}`)).status, 404)
      const takeover = { resourceType: 'Binary', id, contentType: TEXT }
      assert.equal((await send('PUT', `Binary/${id}`, takeover)).status, 405)
    })
  }

  test('the refusal of a hidden Binary is that of an absent one', async () => {
    const [hidden, absent] = await Promise.all(
      ['Binary/loose', 'Binary/absent'].map((url) =>
        send('POST', 'DocumentReference', documentOf('P1', url)),
      ),
    )
    assert.equal(withoutId(hidden!.text), withoutId(absent!.text))
    assert.match(hidden!.text, /Binar/)
  })

  test('naming a Binary that is visible, or stood there before, goes on', async () => {
    assert.equal(
      (await send('POST', 'DocumentReference', documentOf('P1', 'Binary/own'))).status,
      201,
    )
    const other = documentOf('P1', 'https://elsewhere.example/Binary/loose')
    assert.equal((await send('POST', 'DocumentReference', other)).status, 201)
    await at.reset([...STEPS, put({ ...documentOf('P1', 'Binary/absent'), id: 'old' })])
    const old = { ...documentOf('P1', 'Binary/absent'), id: 'old', description: 'changed' }
    assert.equal((await send('PUT', 'DocumentReference/old', old)).status, 200)
  })

  test('a document and its new Binary can be made together', async () => {
    const { status, text } = await send('POST', '', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          fullUrl: 'urn:uuid:7f2a3f9e-2f0b-4b53-9d5c-0a4d5c1b6e01',
          resource: {
            resourceType: 'Binary',
            contentType: TEXT,
            securityContext: { reference: 'Patient/P1' },
          },
          request: { method: 'POST', url: 'Binary' },
        },
        {
          resource: documentOf('P1', 'urn:uuid:7f2a3f9e-2f0b-4b53-9d5c-0a4d5c1b6e01'),
          request: { method: 'POST', url: 'DocumentReference' },
        },
      ],
    })
    assert.equal(status, 200, text)
  })

  test('a system that writes documents may name any Binary', async () => {
    const scope = 'system/DocumentReference.c'
    const body = documentOf('P1', 'Binary/loose')
    assert.equal((await send('POST', 'DocumentReference', body, scope)).status, 201)
  })

  test('a Provenance names no other patient', async () => {
    const both = provenance('Patient/P1', 'Patient/P2')
    assert.equal((await send('POST', 'Provenance', both)).status, 403)
    const own = await send('POST', 'Provenance', provenance('Patient/P1'))
    assert.equal(own.status, 201)
    const { id } = JSON.parse(own.text) as { id: string }
    assert.equal((await send('PUT', `Provenance/${id}`, { ...both, id })).status, 403)
  })

  test('a Provenance is written about nothing that its writer cannot see', async () => {
    const own = await send('POST', 'Provenance', provenance('DocumentReference/mine'))
    assert.equal(own.status, 201)
    const { id } = JSON.parse(own.text) as { id: string }
    for (const other of [
      'DocumentReference/theirs',
      'Binary/guarded',
      'DocumentReference/absent',
    ]) {
      const both = provenance('DocumentReference/mine', other)
      assert.equal((await send('POST', 'Provenance', both)).status, 403, other)
      assert.equal((await send('PUT', `Provenance/${id}`, { ...both, id })).status, 403, other)
    }
    const system = 'system/Provenance.c'
    const any = provenance('DocumentReference/theirs', 'DocumentReference/absent')
    assert.equal((await send('POST', 'Provenance', any, system)).status, 201)
  })

  test('a Provenance and its target can be made together, and what stood there may stay', async () => {
    const fullUrl = 'urn:uuid:7f2a3f9e-2f0b-4b53-9d5c-0a4d5c1b6e02'
    const { status, text } = await send('POST', '', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource: provenance(fullUrl), request: { method: 'POST', url: 'Provenance' } },
        { fullUrl, resource: report('#'), request: { method: 'POST', url: 'DiagnosticReport' } },
      ],
    })
    assert.equal(status, 200, text)
    const both = provenance('DocumentReference/mine', 'DocumentReference/theirs')
    await at.reset([...STEPS, put({ ...both, id: 'old' })])
    const changed = { ...both, id: 'old', recorded: '2024-02-02T00:00:00Z' }
    assert.equal((await send('PUT', 'Provenance/old', changed)).status, 200)
  })
})
