import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Answer, BASE, type SendOptions } from './test-support/endpoint-under-test.ts'
import { CATEGORY, LAB, observation, VITAL } from './test-support/fixture.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
const tau1: SendOptions = {
  scope: `patient/Patient.rs patient/Observation.rs${LAB}`,
  patient: 'P1',
}

function matches({ json }: Answer): string[] {
  return (json.entry ?? [])
    .filter((entry: { search: { mode: string } }) => entry.search.mode === 'match')
    .map((entry: { resource: { id: string } }) => entry.resource.id)
    .sort()
}
function included({ json }: Answer): string[] {
  return (json.entry ?? [])
    .filter((entry: { search: { mode: string } }) => entry.search.mode === 'include')
    .map(
      (entry: { resource: { resourceType: string; id: string } }) =>
        `${entry.resource.resourceType}/${entry.resource.id}`,
    )
    .sort()
}
function link({ json }: Answer, relation: string): string | undefined {
  return json.link.find((each: { relation: string }) => each.relation === relation)?.url
}
async function form(path: string, body: string, options: SendOptions = tau1) {
  return t.send(path, {
    ...options,
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
}

describe('search', () => {
  test('finds what the scopes permit and counts nothing else', async () => {
    const answer = await t.send('Observation', tau1)
    assert.deepEqual(matches(answer), ['O1', 'O3', 'O8'])
    assert.equal(answer.json.total, 3)
    assert.equal(link(answer, 'self'), `${BASE}/Observation`)
    assert.equal(
      answer.json.entry[0].fullUrl,
      `${BASE}/Observation/${answer.json.entry[0].resource.id}`,
    )
  })

  test('a value outside the scope narrows and is not refused', async () => {
    assert.deepEqual(matches(await t.send(`Observation?category=${CATEGORY}|vital-signs`, tau1)), [
      'O3',
    ])
    assert.deepEqual(matches(await t.send('Observation?_id=O1,O2,O5', tau1)), ['O1'])
  })

  test('POST is GET, and parameters of address and form count together', async () => {
    const get = await t.send('Observation?status=final&category=laboratory', tau1)
    const post = await form('Observation/_search', 'status=final&category=laboratory')
    assert.equal(post.text, get.text)
    const both = await form('Observation/_search?status=final', 'category=laboratory')
    assert.equal(both.text, get.text)
    assert.equal(
      (await form('Observation/_search', '')).text,
      (await t.send('Observation', tau1)).text,
    )
    const json = await t.send('Observation/_search', { ...tau1, method: 'POST', body: {} })
    assert.equal(json.status, 415)
    assert.equal((await form('Observation/_search', 'status=%zz')).status, 400)
  })

  test('an unknown parameter is left out of self, and refused when strict', async () => {
    const lenient = await t.send('Observation?foo=bar&status=final', tau1)
    assert.equal(link(lenient, 'self'), `${BASE}/Observation?status=final`)
    const strict = await t.send('Observation?foo=bar', {
      ...tau1,
      headers: { Prefer: 'handling=strict' },
    })
    assert.equal(strict.status, 400)
    assert.equal((await t.send('Observation?status:nonsense=final', tau1)).status, 400)
  })

  test('who may not search the type learns nothing of its parameters', async () => {
    const r = { scope: `patient/Observation.r${LAB}`, patient: 'P1' }
    const plain = await t.send('Observation', r)
    assert.equal(plain.status, 403)
    assert.equal(plain.json.issue[0].details.coding[0].code, 'permission_missing')
    assert.equal((await t.send('Observation?status:nonsense=1', r)).status, 403)
    assert.equal((await t.send('Observation/O1', r)).status, 200)
  })

  test('what cannot be restricted exactly is 403 under a constraint, 400 without', async () => {
    for (const param of ['_contained=true', '_query=x', '_getpages=1', '_filter=x', '_content=x']) {
      const constrained = await t.send(`Observation?${param}`, tau1)
      assert.equal(constrained.status, 403, param)
      assert.equal(constrained.json.issue[0].details.coding[0].code, 'not_exact_under_constraint')
      assert.equal(
        (await t.send(`Observation?${param}`, { scope: 'system/*.rs' })).status,
        400,
        param,
      )
    }
  })

  test('a chain into a type that may not be searched is refused, an include left out', async () => {
    const lab = { scope: `patient/Observation.rs${LAB}`, patient: 'P1' }
    const chain = await t.send('Observation?subject:Patient.name=Ana', lab)
    assert.equal(chain.status, 403)
    assert.equal(chain.json.issue[0].details.coding[0].code, 'join_not_granted')
    assert.match(chain.headers.get('www-authenticate') ?? '', /scope="patient\/Patient\.s"/)
    assert.deepEqual(matches(await t.send('Observation?subject:Patient.name=Ana', tau1)), [
      'O1',
      'O3',
      'O8',
    ])
    assert.deepEqual(matches(await t.send('Observation?subject:Patient.name=Ben', tau1)), [])

    const include = await t.send('Observation?_include=Observation:encounter', tau1)
    assert.deepEqual(included(include), [])
    assert.equal(link(include, 'self'), `${BASE}/Observation`)
    const strict = await t.send('Observation?_include=Observation:encounter', {
      ...tau1,
      headers: { Prefer: 'handling=strict' },
    })
    assert.equal(strict.status, 403)
    const granted = { scope: `${tau1.scope} patient/Encounter.rs`, patient: 'P1' }
    const with1 = await t.send('Observation?_include=Observation:encounter', granted)
    assert.deepEqual(included(with1), ['Encounter/E1'])
    assert.equal(with1.json.total, 3)
    const reverse = await t.send('Encounter?_revinclude=Observation:encounter', granted)
    assert.deepEqual(matches(reverse), ['E1', 'E3'])
    assert.deepEqual(included(reverse), ['Observation/O1'])
  })

  test('counts: _summary=count and _count=0 have the total and no entries', async () => {
    for (const query of ['_summary=count', '_count=0']) {
      const { json } = await t.send(`Observation?${query}`, tau1)
      assert.equal(json.total, 3)
      assert.equal(json.entry, undefined)
    }
    const none = await t.send('Observation?_total=none', tau1)
    assert.equal(none.json.total, undefined)
  })

  test('trims every entry after it was judged whole', async () => {
    const { json } = await t.send('Observation?_elements=status', tau1)
    for (const { resource } of json.entry) {
      assert.equal(resource.category, undefined)
      assert.equal(resource.meta.tag[0].code, 'SUBSETTED')
    }
    assert.equal(json.total, 3)
  })

  test('includes a form: access_token is refused there too', async () => {
    const answer = await form('Observation/_search', 'access_token=x', {})
    assert.equal(answer.status, 401)
  })
})

describe('page links', () => {
  async function nextOf(options: SendOptions): Promise<string> {
    const first = await t.send('Observation?_count=1&_sort=_id', options)
    return link(first, 'next')!
  }

  test('walk every match once, and say nothing of where they lead', async () => {
    const seen: string[] = []
    let url: string | undefined = 'Observation?_count=1&_sort=_id'
    while (url !== undefined) {
      const page: Answer = await t.send(url, tau1)
      assert.equal(page.json.total, 3)
      seen.push(...matches(page))
      url = link(page, 'next')
      if (url !== undefined)
        assert.match(url, /^https:\/\/api\.example\/fhir\/r4\/Observation\?_cursor=[\w-]+$/)
    }
    assert.deepEqual(seen, ['O1', 'O3', 'O8'])
  })

  test('serve only the caller they were made for', async () => {
    const next = await nextOf(tau1)
    for (const other of [
      { ...tau1, clientId: 'other' },
      { ...tau1, patient: 'P2' },
      { ...tau1, scope: `patient/Observation.rs${VITAL}` },
    ]) {
      const answer = await t.send(next, other)
      assert.equal(answer.status, 403)
      assert.equal(answer.json.issue[0].details.coding[0].code, 'cursor_of_other_grant')
    }
    const refreshed = await t.send(next, { ...tau1, claims: { jti: 'another token' } })
    assert.equal(refreshed.status, 200)
  })

  test('are refused when a byte was changed, when extended, and under another type', async () => {
    const next = await nextOf(tau1)
    const cursor = next.split('_cursor=')[1]!
    for (const at of [0, 20, cursor.length - 1]) {
      const other = cursor[at] === 'A' ? 'B' : 'A'
      const changed = cursor.slice(0, at) + other + cursor.slice(at + 1)
      assert.equal((await t.send(`Observation?_cursor=${changed}`, tau1)).status, 400)
    }
    assert.equal((await t.send('Observation?_cursor=', tau1)).status, 400)
    assert.equal((await t.send(`${next}&status=final`, tau1)).status, 400)
    assert.equal((await t.send(`Patient?_cursor=${cursor}`, tau1)).status, 400)
    assert.equal((await t.send(`Observation/O1/_history?_cursor=${cursor}`, tau1)).status, 400)
  })

  test('expire', async () => {
    const next = await nextOf({ scope: 'system/*.rs' })
    const later = await seededEndpointAt(t, 2 * 3600 * 1000)
    assert.equal((await later(next)).status, 400)
  })
})

/** The same endpoint, later; a fresh token. */
async function seededEndpointAt(of: typeof t, laterMs: number) {
  const { endpointUnderTest, NOW_MS } = await import('./test-support/endpoint-under-test.ts')
  const later = endpointUnderTest(of.repository, { now: () => NOW_MS + laterMs })
  return (url: string) => later.send(url, { scope: 'system/*.rs' })
}

test('hidden data changes no answer: the same requests before and after, byte for byte', async () => {
  const requests = [
    'Observation',
    'Observation?_count=2&_sort=_id&_total=accurate',
    'Observation?_summary=count',
    'Observation?_sort=-date&category:not=laboratory',
    'Observation?subject:Patient.name=Ben',
    'Patient?_revinclude=Observation:subject',
    'Patient?_has:Observation:patient:code=2345-7',
    'Observation/H0',
    'Observation?_id=H0,O1',
  ]
  const ask = async () =>
    (await Promise.all(requests.map((path) => t.send(path, tau1)))).map(
      ({ status, text, headers }) => ({
        status,
        // Page links are encrypted with a fresh nonce.
        text: text.replaceAll(/_cursor=[\w-]+/g, (cursor) => `_cursor(${cursor.length})`),
        headers: [...headers],
      }),
    )
  const before = await ask()
  for (let i = 0; i < 30; i += 1) {
    await t.put(
      observation(`H${i}`, i % 2 === 0 ? 'P2' : 'P1', [i % 2 === 0 ? 'laboratory' : 'vital-signs']),
    )
  }
  assert.deepEqual(await ask(), before)
  for (let i = 0; i < 30; i += 1) await t.remove('Observation', `H${i}`)
  assert.deepEqual(await ask(), before)
})

test('the trace has all checks and no search value; the audit has who, what and how many', async () => {
  t.traces.length = 0
  t.events.length = 0
  await t.send('Observation?code=secret-code&_count=2', tau1)
  const [trace] = t.traces
  assert.equal(trace?.path, '/Observation?code=…&_count=2')
  assert.equal(trace?.outcome, 'permitted')
  assert.equal(trace?.checks.length, 16)
  assert.ok(!JSON.stringify(trace).includes('secret-code'))
  // The patient's id stands nowhere as a value; its two letters alone may stand in a random id.
  assert.doesNotMatch(JSON.stringify(trace), /(?<![\w-])P1(?![\w-])/)
  await t.send('Observation/O2', tau1)
  const hidden = t.traces[1]!
  assert.equal(hidden.outcome, 'absent')
  assert.equal(hidden.checks.find(({ outcome }) => outcome === 'fail')?.code, 'constraint_mismatch')
  const [searched, read] = t.events
  assert.deepEqual(
    [
      searched?.interaction,
      searched?.resourceType,
      searched?.patient,
      searched?.clientId,
      searched?.count,
    ],
    ['search-type', 'Observation', 'P1', 'lab', 0],
  )
  assert.deepEqual([read?.decision, read?.status, read?.resourceId], ['absent', 404, 'O2'])
})

test('a search that takes too long is refused as too costly, by itself, in a batch and in a transaction', async (context) => {
  const slow = await seededEndpoint(context, {}, { answerMs: 200 })
  const url = 'Patient?name:contains=x'
  const bundle = (type: string) => {
    const entry = ['Patient/P1', url, 'Patient/P1'].map((each) => ({
      request: { method: 'GET', url: each },
    }))
    const body = { resourceType: 'Bundle', type, entry }
    return slow.send('', { scope: 'system/*.cruds', method: 'POST', body })
  }
  await slow.storage.transaction(async (client) => {
    await client.query('lock table ix_str in access exclusive mode')
    for (const answer of [await slow.send(url, tau1), await bundle('transaction')]) {
      assert.equal(answer.status, 400)
      assert.equal(answer.json.issue[0].code, 'too-costly')
      assert.match(answer.text, /0\.2 s .*narrow/s)
    }
    const batch = await bundle('batch')
    assert.deepEqual(
      batch.json.entry.map((each: { response: { status: string } }) => each.response.status),
      ['200 OK', '400 Bad Request', '200 OK'],
    )
  })
  assert.equal((await slow.send(url, tau1)).status, 200)
  assert.deepEqual(slow.errors, [])
})
