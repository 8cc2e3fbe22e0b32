import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccessEvent } from '@scopegate/audit'
import { createPatientDirectory } from '@scopegate/fhir-endpoint'
import { type FhirResource, SearchRefused } from '@scopegate/fhir-model'
import { createFhirRepository } from '@scopegate/fhir-repository'
import { sampleResources } from '@scopegate/lab'
import type { DirectoryPage, DirectoryQuery, DirectoryUser } from '@scopegate/oauth-model'
import { DEFAULT_POLICY } from '@scopegate/smart-scopes'
import { testStorage } from '@scopegate/storage/testing'
import { BASE, NOW_MS } from '../test-support/endpoint-under-test.ts'
import { OPERATOR } from '../test-support/seeded-endpoint.ts'

const ISSUER = 'https://as.example'
const EXTRA: readonly FhirResource[] = [
  {
    resourceType: 'Patient',
    id: 'double',
    name: [
      { use: 'old', family: 'Zold' },
      { family: 'García Márquez', given: ['Ana', 'María'], prefix: ['Dr.'] },
    ],
    birthDate: '1950-02',
    identifier: [
      { type: { coding: [{ code: 'SS' }] }, value: '000-00-0000' },
      { system: 'urn:other', value: 'X 77' },
    ],
  },
  {
    resourceType: 'Patient',
    id: 'texted',
    name: [{ text: 'Zebra  \u202eAbc', use: 'usual' }],
  },
  { resourceType: 'Patient', id: 'nameless' },
  {
    resourceType: 'Encounter',
    id: 'typed',
    status: 'in-progress',
    class: { code: 'EMER' },
    type: [{ coding: [{ display: 'Check-up' }] }],
    subject: { reference: 'Patient/patient-1' },
    period: { start: '2099-01-02T10:00:00Z' },
  },
  {
    resourceType: 'Encounter',
    id: 'mistake',
    status: 'entered-in-error',
    class: { code: 'EMER' },
    subject: { reference: 'Patient/patient-1' },
  },
]

const storage = await testStorage()
const repository = createFhirRepository({
  storage,
  now: () => NOW_MS,
  newId: () => 'unused',
  baseUrl: BASE,
})
for (const resource of [...sampleResources(), ...EXTRA]) {
  if (!['Patient', 'Encounter', 'RelatedPerson'].includes(resource.resourceType)) continue
  const key = { type: resource.resourceType, id: resource.id! }
  const submitted = { text: JSON.stringify(resource), resource }
  const answer = await repository.update(key, submitted, OPERATOR, { updateCreate: true })
  assert.equal(answer.kind, 'done', resource.id)
}

const policy = { ...DEFAULT_POLICY, baseUrls: [BASE] }
const events: AccessEvent[] = []
let nowMs = NOW_MS
const deps = {
  baseUrl: BASE,
  backend: repository,
  issuer: ISSUER,
  cursorKey: new Uint8Array(32).fill(7),
  audit: {
    record(event: AccessEvent) {
      events.push(event)
      return undefined
    },
  },
  now: () => nowMs,
}
const directory = createPatientDirectory({ ...deps, policy: { ...policy, userPolicy: 'all' } })
const strict = createPatientDirectory({ ...deps, policy })

const doctor: DirectoryUser = { subject: 'u_doctor', fhirUser: 'Practitioner/pract-1' }
const ids = (page: DirectoryPage<{ id: string }>) => page.items.map(({ id }) => id)
const find = async (text: string, user = doctor) =>
  ids(await directory.searchPatients(user, { text }))

async function everyPage(user: DirectoryUser, query: DirectoryQuery) {
  const pages: string[][] = []
  let cursor: string | undefined
  do {
    const page = await directory.searchPatients(user, {
      ...query,
      ...(cursor === undefined ? {} : { cursor }),
    })
    pages.push(ids(page))
    cursor = page.next
  } while (cursor !== undefined)
  return pages
}

test('words of a name are beginnings of its parts, in any order, without case and accents', async () => {
  assert.deepEqual(await find('ana alder'), ['patient-1'])
  assert.deepEqual(await find('Ald an'), ['patient-1'])
  assert.deepEqual(await find('  alder,  ANA '), ['patient-1'])
  assert.deepEqual(await find('ana birch'), [])
  assert.deepEqual((await find('an')).sort(), ['double', 'patient-1'])
})

test('the second word of a double name is found where nothing begins so', async () => {
  assert.deepEqual(await find('Marquez Ana'), ['double'])
  assert.deepEqual(await find('ana garcia marquez'), ['double'])
  assert.deepEqual(await find('nobody'), [])
})

test('a birth date, a month of birth, a year, an identifier and an id find the patient', async () => {
  const ana = await directory.findPatient(doctor, 'patient-1')
  assert.ok(ana?.birthDate)
  const [year, month, day] = ana.birthDate.split('-')
  assert.ok((await find(ana.birthDate)).includes('patient-1'))
  assert.deepEqual(await find(`ana ${Number(day)}.${Number(month)}.${year}`), ['patient-1'])
  assert.deepEqual(await find(`alder ${year}-${month}`), ['patient-1'])
  assert.deepEqual(await find(`alder ${year}`), ['patient-1'])
  assert.deepEqual(await find('alder 1900-01-01'), [])
  assert.deepEqual(await find('MRN-000003'), ['patient-3'])
  assert.deepEqual(
    await find('urn:scopegate:sample:mrn|MRN-000003'),
    [],
    'a bar is part of the text',
  )
  assert.deepEqual(await find('patient-4'), ['patient-4'])
  assert.deepEqual(await find('ana MRN-000001'), ['patient-1'])
  assert.deepEqual(await find('ana MRN-000002'), [])
})

test('any text is answered, and none finds more than no text', async () => {
  const all = (await everyPage(doctor, {})).flat().length
  for (const text of [
    '\\',
    ',',
    '|',
    '$',
    'a\\,b',
    '%',
    '_',
    "' or 1=1",
    '\u0000',
    'é'.repeat(500),
  ]) {
    const page = await directory.searchPatients(doctor, { text, count: 100 })
    assert.ok(page.items.length <= all, JSON.stringify(text))
  }
  assert.deepEqual(await find(`ana\u0000alder`), ['patient-1'])
})

test('patients come ordered by name, page by page, each once', async () => {
  const pages = await everyPage(doctor, { count: 4 })
  assert.deepEqual(
    pages.map((page) => page.length),
    [4, 4, 3],
  )
  const whole = ids(await directory.searchPatients(doctor, { count: 100 }))
  assert.deepEqual(pages.flat(), whole)
  assert.equal(new Set(whole).size, 11)
  assert.deepEqual(whole.slice(0, 2), ['patient-1', 'patient-2'])
  assert.ok(whole.indexOf('double') < whole.indexOf('patient-5'), 'García comes before Hazel')
})

test('a cursor of another user, of other encounters, too old or made up starts over', async () => {
  const first = await directory.searchPatients(doctor, { count: 2 })
  const start = ids(first)
  const follow = async (cursor: string, user = doctor) =>
    ids(await directory.searchPatients(user, { count: 2, cursor }))
  assert.notDeepEqual(await follow(first.next!), start)
  assert.deepEqual(await follow(first.next!, { ...doctor, subject: 'u_other' }), start)
  assert.deepEqual(await follow('made-up'), start)
  nowMs += 3_601_000
  assert.deepEqual(await follow(first.next!), start)
  nowMs = NOW_MS
  const encounters = await directory.searchEncounters(doctor, 'patient-1', { count: 1 })
  const others = await directory.searchEncounters(doctor, 'patient-2', {
    cursor: encounters.next!,
    count: 1,
  })
  assert.deepEqual(
    ids(others),
    ids(await directory.searchEncounters(doctor, 'patient-2', { count: 1 })),
  )
})

test('a summary names the person as people write it, and no private number', async () => {
  assert.deepEqual(await directory.findPatient(doctor, 'patient-1'), {
    id: 'patient-1',
    name: 'Ana Alder',
    birthDate: (await directory.findPatient(doctor, 'patient-1'))!.birthDate,
    gender: 'female',
    identifier: 'MRN-000001',
  })
  assert.deepEqual(await directory.findPatient(doctor, 'double'), {
    id: 'double',
    name: 'Dr. Ana María García Márquez',
    birthDate: '1950-02',
    identifier: 'X 77',
  })
  assert.equal((await directory.findPatient(doctor, 'texted'))?.name, 'Zebra Abc')
  assert.equal((await directory.findPatient(doctor, 'nameless'))?.name, 'Patient nameless')
})

test('encounters come newest first, in words, without mistakes', async () => {
  const page = await directory.searchEncounters(doctor, 'patient-1', {})
  assert.deepEqual(page.items[0], {
    id: 'typed',
    title: 'Check-up',
    status: 'in-progress',
    start: '2099-01-02T10:00:00Z',
  })
  const starts = page.items.map(({ start }) => start!)
  assert.deepEqual(starts, [...starts].sort().reverse())
  assert.deepEqual(
    page.items
      .slice(1)
      .map(({ title }) => title)
      .sort(),
    ['Ambulatory', 'Inpatient'],
  )
  assert.deepEqual(
    ids(await directory.searchEncounters(doctor, 'patient-1', { text: '2099-01' })),
    ['typed'],
  )
  for (const [text, count] of [
    ['2.1.2099', 1],
    ['1.1.2099', 0],
    ['2099', 1],
    ['2098', 0],
    ['E-1', 0],
  ] as const) {
    const found = await directory.searchEncounters(doctor, 'patient-1', { text })
    assert.equal(found.items.length, count, text)
  }
  assert.equal(await directory.findEncounter(doctor, 'patient-1', 'mistake'), undefined)
})

test('an encounter is found with its own patient only', async () => {
  assert.equal((await directory.findEncounter(doctor, 'patient-1', 'typed'))?.id, 'typed')
  assert.equal(await directory.findEncounter(doctor, 'patient-2', 'typed'), undefined)
  assert.equal(await directory.findEncounter(doctor, 'patient-1,patient-2', 'typed'), undefined)
  assert.equal(await directory.findEncounter(doctor, 'patient-1', 'typed,mistake'), undefined)
})

test('a patient finds the own record, a related person the patient it is stored with', async () => {
  for (const fhirUser of [
    'Patient/patient-2',
    `${BASE}/Patient/patient-2`,
    'RelatedPerson/related-mother',
  ]) {
    const user = { subject: 'u_self', fhirUser }
    assert.deepEqual(ids(await strict.searchPatients(user, {})), ['patient-2'])
    assert.equal(await strict.findPatient(user, 'patient-1'), undefined)
    assert.equal((await strict.searchEncounters(user, 'patient-2', {})).items.length, 2)
    assert.deepEqual((await strict.searchEncounters(user, 'patient-1', {})).items, [])
    assert.equal(await strict.findEncounter(user, 'patient-1', 'typed'), undefined)
  }
})

test('without a policy a practitioner finds nobody; without a FHIR user nobody finds anybody', async () => {
  for (const [user, reason] of [
    [doctor, 'user_policy_none'],
    [{ subject: 'u_none' }, 'user_context_missing'],
    [
      { subject: 'u_far', fhirUser: 'https://elsewhere.example/Patient/patient-1' },
      'user_context_invalid',
    ],
  ] as const) {
    events.length = 0
    assert.deepEqual(await strict.searchPatients(user, { text: 'ana' }), { items: [] })
    assert.equal(await strict.findPatient(user, 'patient-1'), undefined)
    assert.deepEqual(
      events.map(({ decision, status, reason: why }) => [decision, status, why]),
      [
        ['refused', 403, reason],
        ['refused', 403, reason],
      ],
    )
  }
})

test('every call leaves a row that names the user and what was read, never what was typed', async () => {
  events.length = 0
  await directory.searchPatients(doctor, { text: 'ana alder' })
  await directory.findPatient(doctor, 'patient-1')
  await directory.findPatient(doctor, 'no-such')
  await directory.searchEncounters(doctor, 'patient-1', {})
  assert.deepEqual(
    events.map(({ interaction, resourceType, resourceId, decision, status, count }) => [
      interaction,
      resourceType,
      resourceId,
      decision,
      status,
      count,
    ]),
    [
      ['search-type', 'Patient', undefined, 'permitted', 200, 1],
      ['read', 'Patient', 'patient-1', 'permitted', 200, 1],
      ['read', 'Patient', 'no-such', 'absent', 404, 0],
      ['search-type', 'Encounter', undefined, 'permitted', 200, 3],
    ],
  )
  for (const event of events) {
    assert.equal(event.subject, 'u_doctor')
    assert.equal(event.fhirUser, 'Practitioner/pract-1')
    assert.equal(event.endpoint, BASE)
    assert.ok(!JSON.stringify(event).toLowerCase().includes('alder'))
  }
})

test('where the audit is required and cannot be written, nothing is shown', async () => {
  const silent = createPatientDirectory({
    ...deps,
    policy: { ...policy, userPolicy: 'all' },
    audit: { record: () => Promise.reject(new Error('the audit cannot be written')) },
  })
  await assert.rejects(silent.searchPatients(doctor, {}), /audit/)
  await assert.rejects(silent.findPatient(doctor, 'patient-1'), /audit/)
})

test('a reading that is too costly counts as finding nobody, unless all are', async () => {
  const costly = (isCostly: (filters: string) => boolean) =>
    createPatientDirectory({
      ...deps,
      policy: { ...policy, userPolicy: 'all' },
      backend: {
        ...repository,
        search: (query, access) =>
          isCostly(JSON.stringify(query.filters))
            ? Promise.reject(new SearchRefused('too-costly', 'too costly', 'narrow it'))
            : repository.search(query, access),
      },
    })
  const page = await costly((text) => text.includes('contains')).searchPatients(doctor, {
    text: 'nobody',
  })
  assert.deepEqual(page.items, [])
  await assert.rejects(costly(() => true).searchPatients(doctor, { text: 'nobody' }), SearchRefused)
})
