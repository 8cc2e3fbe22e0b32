import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Access, ALL, type SearchAnswer, SearchRefused } from '@scopegate/fhir-model'
import { createFhirRepository } from './index.ts'
import { encounter, observation, patient } from './testing/examples.ts'
import { accessTo, FULL, searchFor, testRepository, where } from './testing/test-repository.ts'

const lab = where('Observation', 'category=laboratory')
const ids = ({ matches, includes }: SearchAnswer) =>
  `${matches.map(({ id }) => id).join(' ')} + ${includes
    .map(({ id }) => id)
    .sort()
    .join(' ')}`

const DATA = [
  patient('p1', 'Ana', { generalPractitioner: [{ reference: 'Practitioner/pr1' }] }),
  patient('p2', 'Ben'),
  { resourceType: 'Practitioner', id: 'pr1' },
  encounter('e1', 'p1'),
  encounter('e3', 'p1', { partOf: { reference: 'Encounter/e1' } }),
  observation('o1', 'p1', ['laboratory'], { encounter: { reference: 'Encounter/e1' } }),
  observation('o2', 'p1', ['vital-signs'], { encounter: { reference: 'Encounter/e3' } }),
  observation('o5', 'p2', ['laboratory']),
  {
    resourceType: 'DiagnosticReport',
    id: 'd1',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p1' },
    result: [{ reference: 'Observation/o1' }, { reference: 'Observation/o2' }],
  },
  {
    resourceType: 'Provenance',
    id: 'pv1',
    recorded: '2024-01-01T00:00:00Z',
    target: [{ reference: 'Observation/o2' }],
    agent: [],
  },
  {
    resourceType: 'Provenance',
    id: 'pv2',
    recorded: '2024-01-01T00:00:00Z',
    target: [{ reference: 'Observation/o1' }, { reference: 'Observation/o2' }],
    agent: [],
  },
]

test('an include brings what is visible, once, and nothing through what is hidden', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(...DATA)
  const find = async (type: string, text: string, access: Access) =>
    ids(await repository.search(searchFor(type, text), access))
  const both = accessTo('lab+enc', { Observation: lab, Encounter: ALL, DiagnosticReport: ALL })
  const onlyLab = accessTo('lab', { Observation: lab })
  assert.equal(
    await find('Observation', '_include=Observation:encounter', FULL),
    'o1 o2 o5 + e1 e3',
  )
  assert.equal(await find('Observation', '_include=Observation:encounter', both), 'o1 o5 + e1')
  assert.equal(await find('Observation', '_include=Observation:encounter', onlyLab), 'o1 o5 + ')
  assert.equal(
    await find('Observation', '_include=Observation:subject:Patient', FULL),
    'o1 o2 o5 + p1 p2',
  )
  assert.equal(
    await find(
      'DiagnosticReport',
      '_include=DiagnosticReport:result&_include:iterate=Observation:encounter',
      FULL,
    ),
    'd1 + e1 e3 o1 o2',
  )
  assert.equal(
    await find(
      'DiagnosticReport',
      '_include=DiagnosticReport:result&_include:iterate=Observation:encounter',
      both,
    ),
    'd1 + e1 o1',
  )
  assert.equal(await find('Encounter', '_revinclude=Observation:encounter', both), 'e1 e3 + o1')
  const readOnly: Access = {
    fingerprint: 'r',
    allowed: { ...both.allowed, s: new Map([['Encounter', ALL]]) },
  }
  assert.equal(await find('Encounter', '_revinclude=Observation:encounter', readOnly), 'e1 e3 + ')
  // Loops end.
  assert.equal(
    await find(
      'Encounter',
      '_include:iterate=Encounter:part-of&_revinclude:iterate=Encounter:part-of',
      FULL,
    ),
    'e1 e3 + ',
  )
  assert.equal(
    await find(
      'Patient',
      '_id=p1&_revinclude=Observation:subject&_include:iterate=Patient:general-practitioner',
      FULL,
    ),
    'p1 + o1 o2 pr1',
  )
})

test('a join is evaluated over what may be searched only', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(...DATA)
  const find = async (type: string, text: string, access: Access) =>
    ids(await repository.search(searchFor(type, text), access))
  const narrow = accessTo('n', {
    Observation: lab,
    Patient: { kind: 'id', ids: ['p1'] },
    DiagnosticReport: ALL,
  })
  assert.equal(await find('Observation', 'subject:Patient.name=Ana', narrow), 'o1 + ')
  assert.equal(await find('Observation', 'subject:Patient.name=Ben', narrow), ' + ')
  assert.equal(await find('Observation', 'subject:Patient.name=Ben', FULL), 'o5 + ')
  assert.equal(await find('DiagnosticReport', 'result.category=vital-signs', narrow), ' + ')
  assert.equal(await find('DiagnosticReport', 'result.category=vital-signs', FULL), 'd1 + ')
  assert.equal(await find('DiagnosticReport', 'result=Observation/o2', narrow), 'd1 + ')
  assert.equal(
    await find('Patient', '_has:Observation:subject:category=vital-signs', narrow),
    ' + ',
  )
  assert.equal(
    await find('Patient', '_has:Observation:subject:category=laboratory', narrow),
    'p1 + ',
  )
  assert.equal(
    await find('Observation', 'subject:Patient._has:Encounter:subject:status=finished', FULL),
    'o1 o2 + ',
  )
})

test('an inner search that finds too much is refused', async (t) => {
  const { storage, put } = await testRepository(t)
  await put(...Array.from({ length: 8 }, (_, i) => patient(`p${i}`, 'Same')))
  const small = createFhirRepository({
    storage,
    now: Date.now,
    newId: () => 'x',
    limits: { joined: 5 },
  })
  await assert.rejects(
    small.search(searchFor('Observation', 'subject:Patient.name=Same'), FULL),
    (error) => error instanceof SearchRefused && error.reason === 'too-costly',
  )
})

test('a Provenance is visible through its targets, with exact totals and pages', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(...DATA)
  const access = accessTo('via', {
    Observation: lab,
    Provenance: { kind: 'visible-via', rule: 'targets', param: 'target' },
  })
  const answer = await repository.search(searchFor('Provenance'), access)
  assert.equal(ids(answer), 'pv2 + ')
  assert.equal(answer.total, 1)
  const withProvenance = searchFor('Observation', '_revinclude=Provenance:target')
  assert.equal(ids(await repository.search(withProvenance, access)), 'o1 o5 + pv2')
  assert.equal((await repository.read({ type: 'Provenance', id: 'pv1' }, access)).kind, 'absent')
  assert.equal((await repository.read({ type: 'Provenance', id: 'pv2' }, access)).kind, 'done')
})

test('Binary, shared types and stored Bundles are visible through others', async (t) => {
  const { repository, put } = await testRepository(t)
  const binary = (id: string, more = {}) => ({
    resourceType: 'Binary',
    id,
    contentType: 'text/plain',
    ...more,
  })
  await put(
    ...DATA,
    binary('b1'),
    binary('b2'),
    binary('b3', { securityContext: { reference: 'Observation/o1' } }),
    binary('b4', { securityContext: { reference: 'Observation/o2' } }),
    {
      resourceType: 'DocumentReference',
      id: 'dr1',
      status: 'current',
      content: [{ attachment: { url: 'Binary/b1' } }],
      subject: { reference: 'Patient/p1' },
    },
    {
      resourceType: 'DocumentReference',
      id: 'dr2',
      status: 'current',
      content: [{ attachment: { url: 'Binary/b2' } }],
      subject: { reference: 'Patient/p2' },
    },
    { resourceType: 'Practitioner', id: 'pr2' },
    {
      resourceType: 'Bundle',
      id: 'bu1',
      type: 'collection',
      entry: [{ resource: observation('o1', 'p1') }],
    },
    {
      resourceType: 'Bundle',
      id: 'bu2',
      type: 'collection',
      entry: [
        { resource: observation('o1', 'p1') },
        { resource: observation('x', 'p1', ['survey']) },
      ],
    },
  )
  const compartment = {
    kind: 'compartment',
    compartment: 'Patient',
    id: 'p1',
    mode: 'guarded',
  } as const
  const access = accessTo('p1', {
    Patient: { kind: 'id', ids: ['p1'] },
    Observation: lab,
    DocumentReference: compartment,
    Binary: { kind: 'visible-via', rule: 'attachments' },
    Practitioner: { kind: 'visible-via', rule: 'referrers' },
    Bundle: { kind: 'visible-via', rule: 'entries' },
  })
  const find = async (type: string) => ids(await repository.search(searchFor(type), access))
  assert.equal(await find('Binary'), 'b1 b3 + ')
  assert.equal(await find('Practitioner'), 'pr1 + ')
  assert.equal(await find('Bundle'), 'bu1 + ')
})

test('compartments in all three modes are found as the matcher judges them', async (t) => {
  const { repository, put, mismatches } = await testRepository(t)
  await put(
    observation('own', 'p1'),
    observation('performed', 'p2', ['laboratory'], { performer: [{ reference: 'Patient/p1' }] }),
    observation('none', 'p1', ['laboratory'], {
      subject: { reference: 'Group/g' },
      performer: [{ reference: 'Patient/p1' }],
    }),
  )
  const find = async (mode: 'definition' | 'guarded' | 'primary') =>
    ids(
      await repository.search(
        searchFor('Observation'),
        accessTo(mode, {
          Observation: { kind: 'compartment', compartment: 'Patient', id: 'p1', mode },
        }),
      ),
    )
  assert.equal(await find('definition'), 'own performed none + ')
  assert.equal(await find('primary'), 'own + ')
  assert.match(await find('guarded'), /^own( none)? \+ $/)
  assert.deepEqual(mismatches, [])
})
