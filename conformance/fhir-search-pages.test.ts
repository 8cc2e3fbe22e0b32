import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, callerOf, EVERYTHING, type FhirCaller, idsOf, linkOf } from './fhir-caller.ts'
import { FIXTURE, type FixtureStep, observation } from './fixture.ts'
import { expand } from './matrix/macros.ts'
import { openHarness } from './open-harness.ts'

// search.html: #include, #sort, #count, #total, paging. Items 61 to 63.
const harness = await openHarness()

describe('includes, order, pages and totals', () => {
  let all: FhirCaller
  /** Laboratory results of P1, and encounters. */
  let lab: FhirCaller

  before(async () => {
    await harness.reset(FIXTURE)
    all = await callerOf(harness, EVERYTHING)
    lab = await callerOf(harness, {
      scope: expand('patient/Observation.rs{LAB} patient/Encounter.rs'),
      patient: 'P1',
    })
  })
  after(() => harness.close())

  async function expectIncluded(
    as: FhirCaller,
    search: string,
    matches: string,
    includes: string,
  ): Promise<Answer> {
    const answer = await as(`GET ${search}`)
    assert.equal(answer.status, 200, `${search} ${answer.text}`)
    const words = (text: string) => text.split(' ').filter(Boolean).sort()
    assert.deepEqual([...idsOf(answer, 'match')].sort(), words(matches), search)
    assert.deepEqual([...idsOf(answer, 'include')].sort(), words(includes), search)
    assert.equal(answer.json.total, words(matches).length, search)
    return answer
  }

  test('61 _include brings what the matches refer to, once, and not into the total', async () => {
    const both = 'Observation/O1 Observation/O2'
    await expectIncluded(
      all,
      'Observation?_id=O1,O2&_include=Observation:subject',
      both,
      'Patient/P1',
    )
    await expectIncluded(
      all,
      'Observation?_id=O1,O2&_include=Observation:encounter',
      both,
      'Encounter/E1 Encounter/E3',
    )
    await expectIncluded(
      all,
      'Observation?_id=O1&_include=Observation:performer:Practitioner',
      'Observation/O1',
      'Practitioner/PR1',
    )
    await expectIncluded(
      all,
      'Observation?_id=O1&_include=Observation:performer:Organization',
      'Observation/O1',
      '',
    )
    await expectIncluded(
      all,
      'Observation?_id=O1&_include=*',
      'Observation/O1',
      'Encounter/E1 Patient/P1 Practitioner/PR1',
    )
    await expectIncluded(
      all,
      'Observation?_id=O1&_include=Observation:*',
      'Observation/O1',
      'Encounter/E1 Patient/P1 Practitioner/PR1',
    )
  })

  test('61 _revinclude brings what refers to the matches', async () => {
    await expectIncluded(
      all,
      'Encounter?_id=E1&_revinclude=Observation:encounter',
      'Encounter/E1',
      'Observation/O1',
    )
    await expectIncluded(
      all,
      'Observation?_id=O1&_revinclude=Provenance:target',
      'Observation/O1',
      'Provenance/V1',
    )
    const answer = await all('GET Patient?_id=P2&_revinclude=*')
    assert.equal(answer.json.total, 1)
    for (const place of ['Observation/O5', 'Condition/C3', 'Encounter/E2'])
      assert.ok(idsOf(answer, 'include').includes(place), place)
  })

  test('61 :iterate goes on from what was included, and ends', async (t) => {
    t.after(() => harness.reset(FIXTURE))
    await expectIncluded(
      all,
      'DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:encounter',
      'DiagnosticReport/D1',
      'Encounter/E1 Encounter/E3 Observation/O1 Observation/O2',
    )
    await expectIncluded(
      all,
      'DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:subject' +
        '&_include:iterate=Patient:general-practitioner',
      'DiagnosticReport/D1',
      'Observation/O1 Observation/O2 Patient/P1 Practitioner/PR1',
    )
    await harness.reset([
      {
        kind: 'put',
        resource: {
          resourceType: 'Patient',
          id: 'X',
          link: [{ other: { reference: 'Patient/Y' }, type: 'seealso' }],
        },
      },
      {
        kind: 'put',
        resource: {
          resourceType: 'Patient',
          id: 'Y',
          link: [{ other: { reference: 'Patient/X' }, type: 'seealso' }],
        },
      },
    ])
    await expectIncluded(
      all,
      'Patient?_id=X&_include:iterate=Patient:link',
      'Patient/X',
      'Patient/Y',
    )
    await expectIncluded(all, 'Patient?_include:iterate=Patient:link', 'Patient/X Patient/Y', '')
    await expectIncluded(
      all,
      'Patient?_id=X&_revinclude:iterate=Patient:link',
      'Patient/X',
      'Patient/Y',
    )
  })

  test('61 an include that makes no sense is 400', async () => {
    for (const value of [
      'Observation',
      'Observation:',
      'Observation:nonsense',
      'Observation:code',
      'Nonsense:subject',
      'Observation:subject:Nonsense',
      'Observation:subject:Medication',
      'Patient:link',
      'a:b:c:d',
    ])
      assert.equal((await all(`GET Observation?_include=${value}`)).status, 400, value)
    assert.equal((await all('GET Observation?_include:recurse=Observation:subject')).status, 400)
    assert.equal((await all('GET Observation?_revinclude=Encounter:location')).status, 400)
  })

  test('61 (S) includes never bring what the token cannot see, nor lead through it', async () => {
    const four = 'Observation/O1 Observation/O10 Observation/O3 Observation/O8'
    await expectIncluded(lab, 'Observation?_include=Observation:encounter', four, 'Encounter/E1')
    await expectIncluded(lab, 'Observation?_include=Observation:subject', four, '')
    await expectIncluded(
      lab,
      'Encounter?_revinclude=Observation:encounter',
      'Encounter/E1 Encounter/E3',
      'Observation/O1',
    )
    const strict = await lab('GET Observation?_include=Observation:subject', {
      headers: { prefer: 'handling=strict' },
    })
    assert.equal(strict.status, 403)
    const report = await callerOf(harness, {
      scope: expand('patient/DiagnosticReport.rs patient/Observation.rs{LAB} patient/Encounter.rs'),
      patient: 'P1',
    })
    await expectIncluded(
      report,
      'DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:encounter',
      'DiagnosticReport/D1',
      'Encounter/E1 Observation/O1',
    )
  })

  test('61 (S) hidden resources take no place among the included ones', async (t) => {
    t.after(() => harness.reset(FIXTURE))
    // Were the scope applied after the limit on includes, the one visible Observation would be lost.
    const hidden: FixtureStep[] = Array.from({ length: 1500 }, (_, index) => {
      const id = `a-${index}`
      const words = { id, patient: 'P1', categories: ['survey'], encounter: 'Encounter/E1' }
      return { kind: 'put', resource: { ...observation(words), id } }
    })
    await harness.reset([...FIXTURE, ...hidden])
    await expectIncluded(
      lab,
      'Encounter?_id=E1&_revinclude=Observation:encounter',
      'Encounter/E1',
      'Observation/O1',
    )
  })

  test('62 _sort orders by several keys, both ways, and what has no value comes last', async (t) => {
    t.after(() => harness.reset(FIXTURE))
    const order = async (query: string) => {
      const answer = await all(`GET Observation?${query}`)
      assert.equal(answer.status, 200, answer.text)
      return idsOf(answer, 'match').map((place) => place.split('/')[1])
    }
    assert.deepEqual(await order('_id=O1,O2,O3,O5&_sort=date'), ['O3', 'O5', 'O1', 'O2'])
    assert.deepEqual(await order('_id=O1,O2,O3,O5&_sort=-date'), ['O2', 'O1', 'O5', 'O3'])
    assert.deepEqual(await order('_id=O1,O3,O8,O5&_sort=status,-date'), ['O1', 'O5', 'O3', 'O8'])
    assert.deepEqual(await order('_id=O1,O3,O8,O5&_sort=-status,_id'), ['O8', 'O1', 'O3', 'O5'])
    const undated = { ...observation({ id: 'U1', patient: 'P1' }), effectiveDateTime: undefined }
    assert.equal((await all('PUT Observation/U1', { body: undated })).status, 201)
    assert.deepEqual(await order('_id=U1,O1,O2&_sort=date'), ['O1', 'O2', 'U1'])
    assert.deepEqual(await order('_id=U1,O1,O2&_sort=-date'), ['O2', 'O1', 'U1'])
    for (const sort of ['nonsense', 'code', 'subject', '-', 'date:asc', 'date;drop'])
      assert.equal((await all(`GET Observation?_sort=${sort}`)).status, 400, sort)
  })

  test('62 _count is the page size, 0 asks for the total, and the server has a maximum', async () => {
    const answer = await all('GET Observation?_count=4')
    assert.equal(idsOf(answer).length, 4)
    assert.ok(answer.json.total > 4)
    const zero = await all('GET Observation?_count=0')
    assert.equal(zero.json.total, answer.json.total)
    assert.equal(zero.json.entry, undefined)
    assert.equal(linkOf(zero, 'next'), undefined)
    assert.equal((await all('GET Observation?_count=100000')).status, 200)
    for (const count of ['-1', 'many', '1.5', '99999999999'])
      assert.equal((await all(`GET Observation?_count=${count}`)).status, 400, count)
  })

  test('62 pages walked to the end hold every match once, while others write', async (t) => {
    t.after(() => harness.reset(FIXTURE))
    const expected = idsOf(await all('GET Observation?_count=1000'))
    for (const sort of ['', '&_sort=date', '&_sort=-status,date', '&_sort=-_lastUpdated']) {
      await harness.reset(FIXTURE)
      const seen: string[] = []
      let next: string | undefined = `Observation?_count=3${sort}`
      let page = 0
      while (next !== undefined) {
        const answer: Answer = await all(`GET ${next}`)
        assert.equal(answer.status, 200, answer.text)
        seen.push(...idsOf(answer, 'match'))
        next = linkOf(answer, 'next')
        page += 1
        // New ones may appear; those that were there must, once.
        const body = observation({ patient: 'P2', date: `2024-01-${10 + page}` })
        if (page < 5) assert.equal((await all('POST Observation', { body })).status, 201)
      }
      assert.equal(new Set(seen).size, seen.length, sort)
      assert.deepEqual(
        seen.filter((place) => expected.includes(place)).sort(),
        [...expected].sort(),
        sort,
      )
    }
  })

  test('62 next links are opaque and hold only with what they were made for', async () => {
    const first = await all('GET Observation?_count=2&patient=P1&_sort=date')
    const next = linkOf(first, 'next')!
    assert.ok(next.startsWith(`${harness.baseUrl}/Observation?`))
    // The link is random text, in which `P1` alone would stand by chance one time in ten.
    const sealed = Buffer.from(new URL(next).searchParams.get('_cursor')!, 'base64url')
    assert.ok(!next.includes('patient') && !next.includes('=P1'))
    assert.ok(!sealed.includes('patient') && !sealed.includes('"P1"'))
    assert.equal((await all(`GET ${next}&_count=5`)).status, 400)
    assert.equal((await all(`GET ${next.replace('/Observation?', '/Patient?')}`)).status, 400)
    const middle = Math.floor(next.length - 20)
    const changed = `${next.slice(0, middle)}${next[middle] === 'A' ? 'B' : 'A'}${next.slice(middle + 1)}`
    assert.equal((await all(`GET ${changed}`)).status, 400)
    assert.equal((await all(`GET ${next}`)).status, 200)
    assert.equal((await all(`GET ${next}`)).status, 200)
  })

  test('62 (S) a next link of another token is refused', async () => {
    const next = linkOf(await lab('GET Observation?_count=2'), 'next')!
    const others = [
      { scope: expand('patient/Observation.rs{LAB} patient/Encounter.rs'), patient: 'P2' },
      { scope: expand('patient/Observation.rs{VS} patient/Encounter.rs'), patient: 'P1' },
      EVERYTHING,
    ]
    for (const wish of others) {
      const other = await callerOf(harness, wish)
      const answer = await other(`GET ${next}`)
      assert.equal(answer.status, 403)
      assert.equal(answer.json.entry, undefined)
    }
    assert.equal((await lab(`GET ${next}`)).status, 200)
  })

  test('63 _total none leaves the total out, accurate and _summary=count are exact', async () => {
    const exact = idsOf(await all('GET Observation?_count=1000')).length
    assert.equal((await all('GET Observation?_total=accurate&_count=2')).json.total, exact)
    assert.equal((await all('GET Observation?_summary=count')).json.total, exact)
    assert.equal((await all('GET Observation?_total=none&_count=2')).json.total, undefined)
    const estimate = (await all('GET Observation?_total=estimate&_count=2')).json.total
    assert.ok(estimate === undefined || Number.isInteger(estimate))
    assert.equal((await all('GET Observation?_total=some')).status, 400)
  })

  test('63 (S) totals count what the token sees', async () => {
    for (const query of [
      '_summary=count',
      '_count=0',
      '_total=accurate&_count=1',
      '_total=estimate&_count=1',
      '_count=2',
    ]) {
      const { json } = await lab(`GET Observation?${query}`)
      assert.ok(json.total === 4 || (query.includes('estimate') && json.total === undefined), query)
    }
    assert.equal((await lab('GET Observation?patient=P2&_summary=count')).json.total, 0)
    assert.equal((await lab('GET Observation?identifier=hid&_summary=count')).json.total, 0)
  })
})
