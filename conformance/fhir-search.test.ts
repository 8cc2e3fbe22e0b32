import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callerOf, EVERYTHING, type FhirCaller, idsOf, linkOf } from './fhir-caller.ts'
import { FIXTURE, type FixtureStep } from './fixture.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

// search.html: the framework, common parameters, chains. Items 49 to 52, 59, 60, 64 and 65.
const harness = await openHarness()

/** Identifiers whose values hold what a search text escapes. */
const AWKWARD: readonly FixtureStep[] = [
  ['comma', 'a,b'],
  ['dollar', 'a$b'],
  ['bar', 'a|b'],
  ['slash', 'a\\b'],
  ['space', 'a b'],
  ['plus', 'a+b'],
  ['percent', 'a%41b'],
  ['plain', 'ab'],
].map(([id, value]) => ({
  kind: 'put',
  resource: {
    resourceType: 'Device',
    id: id!,
    identifier: [{ system: 'http://example.org/d', value: value! }],
    meta: {
      source: `http://example.org/source#${id}`,
      profile: [`http://example.org/profile/${id}`],
      tag: [{ system: 'http://example.org/tags', code: id! }],
      security: [{ system: 'http://example.org/labels', code: `s-${id}` }],
    },
  },
}))

describe('the search framework', () => {
  let all: FhirCaller

  before(async () => {
    await harness.reset([...FIXTURE, ...AWKWARD])
    all = await callerOf(harness, EVERYTHING)
  })
  after(() => harness.close())

  async function found(search: string): Promise<readonly string[]> {
    const answer = await all(`GET ${search}`)
    assert.equal(answer.status, 200, `${search} ${answer.text}`)
    return idsOf(answer, 'match').map((place) => place.split('/')[1]!)
  }
  const sorted = (ids: readonly string[]) => [...ids].sort()

  test('49 GET and POST _search give the same answer, parameters of both places count together', async () => {
    const form = (path: string, body: string) =>
      all(`POST ${path}`, {
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
    const query = expand('patient=P1&category={OC}|laboratory&_sort=_id')
    const get = await all(`GET Observation?${query}`)
    assert.equal(get.json.total, 4)
    for (const [path, body] of [
      ['Observation/_search', query],
      [`Observation/_search?${query}`, ''],
      ['Observation/_search?patient=P1', expand('category={OC}|laboratory&_sort=_id')],
    ] as const) {
      const post = await form(path, body)
      assert.equal(post.status, 200, post.text)
      assert.deepEqual(post.json.entry, get.json.entry)
      assert.equal(post.json.total, get.json.total)
    }
    const contradiction = await form('Observation/_search?patient=P1', 'patient=P2')
    assert.equal(contradiction.json.total, 0)
    const json = await all('POST Observation/_search', { body: { patient: 'P1' } })
    assert.equal(json.status, 415)
  })

  test('49 search over all types is refused', async () => {
    for (const request of [
      'GET ?_type=Patient,Observation',
      'GET ?_id=P1',
      'POST _search?_type=Patient',
    ]) {
      const answer = await all(request)
      assert.ok([404, 405].includes(answer.status), `${request} ${answer.status}`)
      assert.equal(answer.json.resourceType, 'OperationOutcome')
    }
  })

  test('50 a searchset has a self link with the parameters used, absolute addresses and modes', async () => {
    const answer = await all(
      'GET Observation?patient=P1&nonsense=1&status=final&_include=Observation:subject&_count=3&empty=',
    )
    assert.equal(answer.json.type, 'searchset')
    const self = new URL(linkOf(answer, 'self')!)
    assert.ok(self.href.startsWith(`${harness.baseUrl}/Observation?`))
    assert.deepEqual([...self.searchParams.keys()], ['patient', 'status', '_include', '_count'])
    for (const { fullUrl, resource, search } of answer.json.entry) {
      assert.equal(fullUrl, `${harness.baseUrl}/${resource.resourceType}/${resource.id}`)
      assert.equal(search.mode, resource.resourceType === 'Observation' ? 'match' : 'include')
    }
    const again = await all(`GET ${self.href}`)
    assert.deepEqual(again.json.entry, answer.json.entry)
  })

  test('50 (S) the self link does not show what the scope adds', async () => {
    const lab = await callerOf(harness, {
      scope: expand('patient/Observation.rs{LAB}'),
      patient: 'P1',
    })
    const answer = await lab('GET Observation?status=final&_include=Observation:encounter')
    assert.equal(linkOf(answer, 'self'), `${harness.baseUrl}/Observation?status=final`)
  })

  test('51 an unknown parameter is ignored, or 400 under strict handling', async () => {
    const every = (await all('GET Observation?_summary=count')).json.total
    for (const name of ['nonsense', 'patients', 'Patient', 'subject-x', 'name']) {
      const lenient = await all(`GET Observation?${name}=x&_summary=count`)
      assert.equal(lenient.json.total, every, name)
      assert.ok(!linkOf(lenient, 'self')!.includes(`${name}=`))
      const strict = await all(`GET Observation?${name}=x`, {
        headers: { prefer: 'handling=strict' },
      })
      assert.equal(strict.status, 400, name)
      assert.ok(strict.json.issue[0].details.text.includes(name))
    }
  })

  test('51 an unknown modifier is 400, always', async () => {
    for (const search of [
      'Observation?status:nonsense=final',
      'Observation?code:exact=x',
      'Observation?date:exact=2024',
      'Patient?name:below=a',
      'Observation?subject:Nonsense=P1',
      'Observation?subject:Medication=P1',
      'Patient?family:=a',
      'Observation?_id:exact=O1',
      'Observation?value-quantity:not=1',
      'Observation?combo-code-value-quantity:missing=true',
    ])
      for (const headers of [{}, { prefer: 'handling=lenient' }]) {
        const answer = await all(`GET ${search}`, { headers })
        assert.equal(answer.status, 400, search)
        assert.equal(answer.json.resourceType, 'OperationOutcome')
      }
  })

  test('52 repeating a parameter is AND, a comma is OR, an empty value is nothing', async () => {
    const lab = expand('category={OC}|laboratory')
    const vital = expand('category={OC}|vital-signs')
    assert.deepEqual(await found(`Observation?${lab}&${vital}`), ['O3'])
    assert.deepEqual(
      sorted(
        await found(expand('Observation?patient=P1&category={OC}|laboratory,{OC}|vital-signs')),
      ),
      ['O1', 'O10', 'O2', 'O3', 'O8'],
    )
    assert.deepEqual(sorted(await found('Observation?_id=O1,O3,nope')), ['O1', 'O3'])
    assert.deepEqual(await found('Observation?_id=O1,O3&_id=O3,O4'), ['O3'])
    assert.deepEqual(await found('Observation?_id=O1&status='), ['O1'])
    assert.deepEqual(await found('Observation?_id=O1,&code'), ['O1'])
    assert.deepEqual(await found('Observation?_id=,O1,,'), ['O1'])
  })

  test('52 escapes, percent-encoding and plus are undone, once', async () => {
    for (const [value, id] of [
      ['a\\,b', 'comma'],
      ['a%5C%2Cb', 'comma'],
      ['a\\$b', 'dollar'],
      ['a$b', 'dollar'],
      ['a\\|b', 'bar'],
      ['a\\\\b', 'slash'],
      ['a+b', 'space'],
      ['a%20b', 'space'],
      ['a%2Bb', 'plus'],
      ['a%2541b', 'percent'],
      ['%61%62', 'plain'],
    ] as const)
      assert.deepEqual(await found(`Device?identifier=${value}`), [id], value)
    assert.deepEqual(await found('Device?identifier=a,b'), [])
    assert.deepEqual(await found('Device?identifier=http://example.org/d%7Ca%5C%7Cb'), ['bar'])
    assert.deepEqual(await found('Device?%69dentifier=ab'), ['plain'])
  })

  test('59 :missing works on every kind of parameter', async () => {
    const every = sorted(await found('Observation?_count=100'))
    for (const param of [
      'category',
      'date',
      'identifier',
      'encounter',
      'performer',
      'value-quantity',
      'value-string',
      'status',
      'subject',
      'has-member',
    ]) {
      const missing = await found(`Observation?${param}:missing=true&_count=100`)
      const present = await found(`Observation?${param}:missing=false&_count=100`)
      assert.deepEqual(sorted([...missing, ...present]), every, param)
    }
    // A category in words only has no value that this parameter could find.
    assert.deepEqual(sorted(await found('Observation?category:missing=true')), ['O12', 'O6'])
    assert.deepEqual(sorted(await found('Observation?encounter:missing=false')), ['O1', 'O2'])
    assert.deepEqual(await found('Patient?family:missing=false'), [])
    assert.deepEqual(await found('Device?url:missing=false'), [])
    assert.equal((await all('GET Observation?category:missing=perhaps')).status, 400)
  })

  test('59 _id, _lastUpdated, _profile, _security, _tag and _source find', async () => {
    assert.deepEqual(await found('Device?_id=comma'), ['comma'])
    assert.deepEqual(await found('Device?_profile=http://example.org/profile/bar'), ['bar'])
    assert.deepEqual(await found('Device?_tag=http://example.org/tags|bar'), ['bar'])
    assert.deepEqual(await found('Device?_tag=bar'), ['bar'])
    assert.deepEqual(await found('Device?_security=s-bar'), ['bar'])
    assert.deepEqual(await found('Device?_source=http://example.org/source%23bar'), ['bar'])
    const today = new Date().toISOString().slice(0, 10)
    assert.equal((await found(`Device?_lastUpdated=ge${today}`)).length, AWKWARD.length)
    assert.deepEqual(await found(`Device?_lastUpdated=lt${today}`), [])
    const { lastUpdated } = (await all('GET Device/bar')).json.meta
    assert.ok(
      (await found(`Device?_lastUpdated=${encodeURIComponent(lastUpdated)}`)).includes('bar'),
    )
  })

  test('59 _has finds by what refers, nested too', async () => {
    assert.deepEqual(await found(expand('Patient?_has:Observation:patient:code={LN}|8867-4')), [
      'P1',
    ])
    assert.deepEqual(
      sorted(await found(expand('Patient?_has:Observation:patient:code={LN}|2345-7'))),
      ['P1', 'P2'],
    )
    assert.deepEqual(await found('Patient?_has:Observation:patient:identifier=hid'), ['P2'])
    assert.deepEqual(
      await found('Patient?_has:Observation:patient:_has:Provenance:target:_id=V3'),
      ['P2'],
    )
    assert.deepEqual(await found('Patient?_has:Observation:performer:_id=O7'), ['P1'])
    assert.deepEqual(
      await found(
        expand(
          'Patient?_has:Observation:patient:code={LN}|2345-7&_has:Observation:patient:code={LN}|8867-4',
        ),
      ),
      ['P1'],
    )
    for (const name of [
      '_has:Observation',
      '_has:Observation:patient',
      '_has:Nonsense:patient:code',
      '_has:Observation:code:code',
      '_has:Encounter:location:_id',
    ])
      assert.equal((await all(`GET Patient?${name}=x`)).status, 400, name)
  })

  test('59 _content, _text, _filter, _query, _list and _type are refused', async () => {
    for (const name of ['_content', '_text', '_filter', '_query', '_list', '_type', '_in']) {
      const answer = await all(`GET Observation?${name}=x`)
      assert.equal(answer.status, 400, name)
      assert.ok(answer.json.issue[0].details.text.includes(name), answer.text)
    }
  })

  test('59 (S) what cannot be judged exactly is 403 under a constrained token', async () => {
    const lab = await callerOf(harness, {
      scope: expand('patient/Observation.rs{LAB}'),
      patient: 'P1',
    })
    for (const name of ['_content', '_text', '_filter', '_query', '_contained'])
      assert.equal((await lab(`GET Observation?${name}=x`)).status, 403, name)
  })

  test('60 chains lead through references, typed and untyped, two deep, into _id', async () => {
    const ofBen = ['O5', 'O7']
    for (const search of [
      'Observation?subject.name=ben',
      'Observation?subject:Patient.name=ben',
      'Observation?patient.name=Ben',
      'Observation?subject._id=P2',
      'Observation?subject:Patient._id=P2',
    ])
      assert.deepEqual(sorted(await found(search)), ofBen, search)
    assert.deepEqual(await found('DiagnosticReport?result.encounter.status=finished'), ['D1'])
    assert.deepEqual(await found('DiagnosticReport?result:Observation.subject:Patient.name=ana'), [
      'D1',
    ])
    assert.deepEqual(await found('DiagnosticReport?result.subject:Patient.name=ben'), [])
    assert.deepEqual(
      sorted(
        await found(
          'Observation?subject:Patient.general-practitioner.name=weber&encounter:missing=false',
        ),
      ),
      ['O1', 'O2'],
    )
    assert.deepEqual(sorted(await found('Observation?performer.name=weber')), ['O1'])
    assert.deepEqual(sorted(await found('Observation?performer.name=weber,klein')), ['O1', 'O4'])
  })

  test('60 a chain that leads nowhere or too far is 400', async () => {
    const deep = 'subject:Patient.link:Patient.'.repeat(1) + 'link:Patient.'.repeat(6)
    for (const search of [
      'Observation?subject.nonsense=1',
      'Observation?subject:Patient.nonsense=1',
      'Observation?code.text=1',
      'Observation?subject:Patient.=1',
      'Observation?subject:Practitioner.name=x',
      `Observation?${deep}name=x`,
    ])
      assert.equal((await all(`GET ${search}`)).status, 400, search)
  })

  test('64 compartment searches are refused, not taken for something else', async () => {
    for (const path of ['Patient/P1/Observation', 'Patient/P1/*', 'Practitioner/PR1/Observation'])
      assert.equal((await all(`GET ${path}`)).status, 404, path)
    assert.equal((await all('POST Patient/P1/Observation/_search')).status, 404)
  })

  test('65 searching inside contained resources is refused', async () => {
    for (const query of ['_contained=true', '_contained=both', '_containedType=container'])
      assert.equal((await all(`GET Observation?${query}`)).status, 400, query)
  })
})
