import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, callerOf, type FhirCaller, idsOf, linkOf } from './fhir-caller.ts'
import { observation } from './fixture.ts'
import { openWholeServer } from './open-whole-server.ts'

/**
 * A viewer of laboratory results on the sample data: 231 Observations, 116 of them laboratory,
 * 64 vital signs, 41 survey, 9 social history, 1 procedure.
 */
const server = await openWholeServer()

const LAB = 'user/Observation.rs?category=laboratory'
const VITALS = 'user/Observation.rs?category=vital-signs'
const DOCTOR = { fhirUser: 'Practitioner/any' }

describe('granular scopes on the sample data', () => {
  let all: FhirCaller
  let vitalsId: string
  let labId: string
  let patients: readonly string[]

  before(async () => {
    all = await callerOf(server, { scope: 'system/*.cruds' })
    const first = async (search: string) =>
      idsOf(await all(`GET ${search}`)).map((place) => place.split('/')[1]!)
    ;[vitalsId] = (await first('Observation?category=vital-signs&_count=1')) as [string]
    ;[labId] = (await first('Observation?category=laboratory&_count=1')) as [string]
    patients = await first('Patient?_sort=_id')
  })
  after(() => server.close())

  const asDoctor = (scope: string) => callerOf(server, { ...DOCTOR, scope })
  const total = async (as: FhirCaller, search = 'Observation') =>
    (await as(`GET ${search}${search.includes('?') ? '&' : '?'}_summary=count`)).json.total

  test('1 a laboratory scope sees the 116 laboratory results and no trace of the others', async () => {
    const lab = await asDoctor(LAB)
    assert.equal(await total(lab), 116)
    const seen: string[] = []
    let next: string | undefined = 'Observation?_count=100'
    while (next !== undefined) {
      const page: Answer = await lab(`GET ${next}`)
      assert.equal(page.json.total, 116)
      for (const { resource } of page.json.entry)
        assert.ok(codesOf(resource).includes('laboratory'), resource.id)
      seen.push(...idsOf(page))
      assert.ok(!/\b231\b/.test(page.text), 'the hidden count')
      next = linkOf(page, 'next')
    }
    assert.equal(new Set(seen).size, 116)
  })

  test('2 scopes add up, and the letters of search and read count alone', async () => {
    assert.equal(await total(await asDoctor(`${LAB} ${VITALS}`)), 180)
    assert.equal(await total(await asDoctor('user/Observation.rs')), 231)
    const reads = await asDoctor('user/Observation.r')
    assert.equal((await reads('GET Observation')).status, 403)
    assert.equal((await reads(`GET Observation/${vitalsId}`)).status, 200)
    const searches = await asDoctor('user/Observation.s')
    assert.equal((await searches('GET Observation')).status, 200)
    assert.equal((await searches(`GET Observation/${vitalsId}`)).status, 403)
  })

  test('2 the proportions of the sample are those that it promises', async () => {
    for (const [category, count] of [
      ['laboratory', 116],
      ['vital-signs', 64],
      ['survey', 41],
      ['social-history', 9],
      ['procedure', 1],
    ] as const)
      assert.equal(
        await total(await asDoctor(`user/Observation.rs?category=${category}`)),
        count,
        category,
      )
    assert.equal(patients.length, 8)
  })

  test('3 an instance outside the scope is as absent, its versions and history too', async () => {
    const lab = await asDoctor(LAB)
    for (const tail of ['', '/_history/1', '/_history']) {
      const hidden = await lab(`GET Observation/${vitalsId}${tail}`)
      const absent = await lab(`GET Observation/nope${tail}`)
      assert.equal(hidden.status, 404)
      const text = ({ text: body, headers }: Answer) =>
        body.replaceAll(headers.get('x-request-id') ?? '', '')
      assert.equal(text(hidden), text(absent))
      assert.equal((await lab(`GET Observation/${labId}${tail}`)).status, 200)
    }
  })

  test('4 a search for what lies outside the scope is narrowed, not refused', async () => {
    const lab = await asDoctor(LAB)
    assert.equal((await lab('GET Observation?_count=100')).status, 200)
    assert.equal(await total(lab, 'Observation?category=laboratory'), 116)
    assert.equal(await total(lab, 'Observation?category=vital-signs'), 0)
  })

  test('5 what is written must be inside the scope, before and after', async () => {
    const [patient] = patients
    const body = (category: string, id?: string) =>
      observation({
        patient: patient!,
        categories: [category],
        ...(id === undefined ? {} : { id }),
      })
    const creator = await asDoctor('user/Observation.cu?category=laboratory')
    assert.equal((await creator('POST Observation', { body: body('vital-signs') })).status, 403)
    const created = await creator('POST Observation', { body: body('laboratory') })
    assert.equal(created.status, 201)
    // Who may not read gets no body back, whatever is preferred.
    assert.equal(created.text, '')
    const id = /Observation\/([^/]+)\//.exec(created.headers.get('location')!)![1]!
    const moved = await creator(`PUT Observation/${id}`, { body: body('vital-signs', id) })
    assert.equal(moved.status, 403)
    const kept = await creator(`PUT Observation/${id}`, {
      body: { ...body('laboratory', id), status: 'amended' },
    })
    assert.equal(kept.status, 200)
    assert.equal((await all(`DELETE Observation/${id}`)).status, 204)
    assert.equal(await total(all), 231)
  })

  test('6 a scope that cannot be evaluated is refused where it is asked for', async () => {
    const asked = await server.askToken('system/Observation.rs?_include=Observation:subject')
    assert.equal(asked.status, 400)
    assert.equal(asked.json.error, 'invalid_scope')
    assert.match(asked.json.error_description ?? '', /_include/)
    const user = await server.askToken(LAB)
    assert.equal(user.status, 400)
    assert.equal(user.json.error, 'invalid_scope')
  })

  test('6 of another issuer such a scope grants nothing', async () => {
    const foreign = await asDoctor('user/Observation.rs?_include=Observation:subject')
    assert.equal((await foreign('GET Observation')).status, 403)
    assert.equal((await foreign(`GET Observation/${labId}`)).status, 403)
    const mixed = await asDoctor(`user/Observation.rs?_include=Observation:subject ${LAB}`)
    assert.equal(await total(mixed), 116)
  })

  test('7 an include brings nothing that no scope covers', async () => {
    const lab = await asDoctor(LAB)
    const answer = await lab('GET Observation?_include=Observation:subject&_count=20')
    assert.equal(answer.status, 200)
    assert.deepEqual(idsOf(answer, 'include'), [])
    const both = await asDoctor(`${LAB} user/Patient.r`)
    const with_ = await both('GET Observation?_include=Observation:subject&_count=20')
    assert.ok(idsOf(with_, 'include').length > 0)
    assert.ok(idsOf(with_, 'include').every((place) => place.startsWith('Patient/')))
  })

  test('8 a patient scope reaches one patient, and none without the claim', async () => {
    const nobody = await callerOf(server, { scope: 'patient/Observation.rs patient/Patient.rs' })
    assert.equal((await nobody('GET Observation')).status, 403)
    const [one, other] = patients as [string, string]
    const patient = await callerOf(server, {
      scope: 'patient/Observation.rs patient/Patient.rs',
      patient: one,
    })
    assert.equal((await patient(`GET Observation?patient=${other}`)).json.total, 0)
    assert.equal((await patient(`GET Patient/${other}`)).status, 404)
    assert.equal((await patient(`GET Patient/${one}`)).status, 200)
    assert.deepEqual(idsOf(await patient('GET Patient')), [`Patient/${one}`])
    const own = await total(patient)
    assert.ok(own > 0 && own < 231)
    const subjects = (await patient('GET Observation?_count=1000')).json.entry.map(
      ({ resource }: { resource: { subject: { reference: string } } }) =>
        resource.subject.reference,
    )
    assert.deepEqual([...new Set(subjects)], [`Patient/${one}`])
  })

  test('9 a malformed scope is invalid_scope, and grants nothing where it comes from elsewhere', async () => {
    for (const scope of [
      'system/Observation.sr',
      'system/Observaton.rs',
      'system/Observation.',
      'system/Observation.rs?',
      'Observation.rs',
      'system/Observation.rs?category=',
    ]) {
      const asked = await server.askToken(scope)
      assert.equal(asked.status, 400, scope)
      assert.equal(asked.json.error, 'invalid_scope', scope)
      const foreign = await callerOf(server, { scope })
      assert.equal((await foreign('GET Observation')).status, 403, scope)
    }
    const v1 = await server.askToken('system/*.read')
    assert.equal(v1.status, 200, JSON.stringify(v1.json))
    const [one] = patients as [string]
    const words = await callerOf(server, { scope: 'patient/*.read', patient: one })
    const letters = await callerOf(server, { scope: 'patient/*.rs', patient: one })
    for (const type of ['Observation', 'Condition', 'Patient'])
      assert.equal(await total(words, type), await total(letters, type), type)
    assert.equal((await words(`DELETE Observation/${labId}`)).status, 403)
  })

  test('10 the server says which kinds of scope it knows', async () => {
    const response = await fetch(`${server.baseUrl}/.well-known/smart-configuration`)
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
    const { capabilities, scopes_supported, token_endpoint } = (await response.json()) as Record<
      string,
      readonly string[]
    >
    for (const name of ['permission-v1', 'permission-v2', 'client-confidential-asymmetric'])
      assert.ok(capabilities?.includes(name), name)
    assert.ok(scopes_supported!.length > 0)
    assert.ok(String(token_endpoint).startsWith(server.url))
    const { security } = (await all('GET metadata')).json.rest[0]
    const [oauth] = security.extension
    assert.match(oauth.url, /oauth-uris$/)
    assert.equal(oauth.extension[0].valueUri, String(token_endpoint))
  })

  test('the token of our own token endpoint counts 116, 180 and 231', async () => {
    const granted: readonly (readonly [string, number])[] = [
      ['system/Observation.rs?category=laboratory', 116],
      ['system/Observation.rs?category=laboratory system/Observation.rs?category=vital-signs', 180],
      ['system/Observation.rs', 231],
    ]
    for (const [scope, count] of granted) {
      const { json } = await server.askToken(scope)
      const response = await fetch(`${server.baseUrl}/Observation?_summary=count`, {
        headers: { authorization: `Bearer ${json.access_token}` },
      })
      assert.equal(((await response.json()) as { total: number }).total, count, scope)
    }
  })

  test('a token for another audience is told which one is expected and which came', async () => {
    const other = await callerOf(server, {
      scope: LAB,
      ...DOCTOR,
      audience: 'https://other.example',
    })
    const answer = await other('GET Observation')
    assert.equal(answer.status, 401)
    assert.match(answer.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    assert.ok(answer.text.includes('https://other.example') && answer.text.includes(server.baseUrl))
  })
})

function codesOf(resource: {
  category?: readonly { coding?: readonly { code?: string }[] }[]
}): readonly (string | undefined)[] {
  return (resource.category ?? []).flatMap(({ coding = [] }) => coding.map(({ code }) => code))
}
