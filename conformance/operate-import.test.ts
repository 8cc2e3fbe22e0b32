/** Import through the command line: every form, every kind of refusal, and being killed in the middle. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  call,
  createOperator,
  fetchToken,
  type RunningServer,
  until,
} from './operating/operator.ts'

const operator = createOperator()
const env = { LOADER_SECRET: 'import-loader-secret-of-good-length' }
const config = operator.file(
  'loader.yaml',
  'clients:\n  - { id: loader, secret: env:LOADER_SECRET, scopes: system/*.cruds }\n',
)
let server: RunningServer
let token: string
const target = () => ({ fhir: server.fhir, token })

before(async () => {
  server = await operator.up({ config, env })
  token = await fetchToken(
    server.url,
    { id: 'loader', secret: env.LOADER_SECRET },
    'system/*.cruds',
  )
})
async function count(type: string): Promise<number> {
  return (await call(target(), 'GET', `${type}?_summary=count`)).body.total
}

async function importFile(...files: string[]) {
  const { code, out, err } = await operator.scopegate('import', ...files, '--json')
  return { code, err, report: JSON.parse(out || '{}') }
}

function patients(prefix: string, from: number, to: number): string {
  const lines = []
  for (let n = from; n < to; n++) {
    lines.push(
      `{"resourceType":"Patient","id":"${prefix}${n}","active":${n % 2 === 0},"name":[{"family":"F${n}"}]}\n`,
    )
  }
  return lines.join('')
}

test('NDJSON comes in whole, with counts per type; again, and gzipped, all is unchanged', async () => {
  const made = await operator.scopegate(
    ...['sample', '--patients', '20', '--seed', '7', '--out', 'sample.ndjson', '--json'],
  )
  const counts: Record<string, number> = JSON.parse(made.out)
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)

  const first = await importFile('sample.ndjson')
  assert.equal(first.code, 0, first.err)
  assert.deepEqual(
    Object.fromEntries(
      Object.keys(first.report.types).map((type) => [type, first.report.types[type].in]),
    ),
    counts,
  )
  for (const [type, expected] of Object.entries(counts)) assert.equal(await count(type), expected)

  operator.file('again.ndjson.gz', gzipSync(readFileSync(operator.path('sample.ndjson'))))
  for (const file of ['sample.ndjson', 'again.ndjson.gz']) {
    const { code, report } = await importFile(file)
    assert.deepEqual([code, report.in, report.unchanged, report.refused], [0, 0, total, 0], file)
  }
  const one = JSON.parse(readFileSync(operator.path('sample.ndjson'), 'utf8').split('\n')[0] ?? '')
  const read = await call(target(), 'GET', `${one.resourceType}/${one.id}`)
  assert.equal(read.body.meta.versionId, '1')

  const { out } = await operator.scopegate('import', 'sample.ndjson')
  assert.match(out, /^type +in +unchanged +refused$/m)
  assert.match(out, /^total +0 +[\d,]+ +0$/m)
})

test('every refused line is told with its number and reason, and the rest is in', async () => {
  const lines: readonly (readonly [line: string, reason?: RegExp])[] = [
    ['{"resourceType":"Patient","id":"r1"}'],
    ['{"resourceType":"Patient","id":"r2"', /./],
    ['{"resourceType":"Patient","id":"r3","birthDate":"1.2.1990"}', /birthDate/],
    ['{"resourceType":"Patient","id":"r4","gender":"male","gender":"female"}', /gender/],
    [''],
    ['{"resourceType":"Patient","id":"r5","favouriteColour":"red"}', /favouriteColour/],
    ['{"resourceType":"Nonsense","id":"r6"}', /resourceType/],
    ['{"resourceType":"Patient","id":"not an id"}', /id/],
    ['{"resourceType":"Patient"}', /id/],
    ['[1,2,3]', /./],
    ['not json at all', /./],
    [`{"resourceType":"Patient","id":"r7","extension":${'['.repeat(500)}${']'.repeat(500)}}`, /./],
    ['{"resourceType":"Observation","id":"r8","status":"final"}', /code/],
    ['{"resourceType":"Patient","id":"r9","active":"yes"}', /active/],
    // A byte order mark, as joined files have it in the middle.
    ['\uFEFF{"resourceType":"Patient","id":"r10"}'],
    ['{"resourceType":"Patient","id":"r11","active":true}'],
  ]
  // Lines of Windows end in two characters.
  const text = lines.map(([line]) => line).join('\r\n')
  const { code, report } = await importFile(operator.file('mixed.ndjson', `${text}\r\n`))
  assert.equal(code, 1)
  const refused = lines.flatMap(([, reason], index) => (reason ? [index + 1] : []))
  assert.deepEqual(
    report.refusals.map(({ line }: { line: number }) => line),
    refused,
    JSON.stringify(report.refusals),
  )
  for (const { line, why, file } of report.refusals) {
    assert.equal(file, 'mixed.ndjson')
    assert.match(why, lines[line - 1]?.[1] as RegExp, `line ${line}`)
    assert.match(why, /^[^:]/)
  }
  assert.deepEqual([report.in, report.refused], [3, refused.length])
  for (const id of ['r1', 'r10', 'r11']) {
    assert.equal((await call(target(), 'GET', `Patient/${id}`)).status, 200)
  }
  const people = await operator.scopegate('import', 'mixed.ndjson')
  for (const line of refused) assert.match(people.err, new RegExp(`^mixed\\.ndjson:${line}: `, 'm'))
  assert.ok(!people.err.includes('1.2.1990'), 'values stay out of what is printed')
})

test('a Bundle is taken apart, its own references with it, also gzipped', async () => {
  const bundle = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
        resource: { resourceType: 'Patient', id: 'bp1' },
        request: { method: 'PUT', url: 'Patient/bp1' },
      },
      {
        resource: {
          resourceType: 'Observation',
          id: 'bo1',
          status: 'final',
          code: { text: 'x' },
          subject: { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' },
        },
        request: { method: 'PUT', url: 'Observation/bo1' },
      },
      { resource: { resourceType: 'Observation', id: 'bo2', status: 'no-such-status' } },
    ],
  }
  operator.file('bundle.json', JSON.stringify(bundle, null, 2))
  operator.file('bundle.json.gz', gzipSync(readFileSync(operator.path('bundle.json'))))
  const first = await importFile('bundle.json')
  assert.deepEqual([first.code, first.report.in, first.report.refused], [1, 2, 1])
  assert.equal(first.report.refusals[0].entry, 2, JSON.stringify(first.report.refusals))
  const found = await call(target(), 'GET', 'Observation?subject=Patient/bp1&_summary=count')
  assert.equal(found.body.total, 1)
  const second = await importFile('bundle.json.gz')
  assert.deepEqual([second.report.in, second.report.unchanged], [0, 2])
})

test('a file that cannot be used is named, and the others are imported', async () => {
  const missing = await operator.scopegate('import', 'nowhere.ndjson')
  assert.equal(missing.code, 1)
  assert.match(missing.err, /nowhere\.ndjson.*\n.*no such file/)

  const whole = gzipSync(patients('cut', 0, 3000))
  operator.file('cut.ndjson.gz', whole.subarray(0, whole.length >> 1))
  operator.file('noise.ndjson.gz', Buffer.concat([whole.subarray(0, 500), Buffer.alloc(500, 7)]))
  operator.file('fine.ndjson', patients('fine', 0, 10))
  const { code, report } = await importFile('cut.ndjson.gz', 'noise.ndjson.gz', 'fine.ndjson')
  assert.equal(code, 1)
  assert.equal(report.problems.length, 2)
  for (const { why } of report.problems) assert.match(why, /truncated or damaged gzip/)
  assert.equal((await call(target(), 'GET', 'Patient/fine9')).status, 200)
  assert.ok(report.in > 100 && report.in < 3010, String(report.in))

  operator.file('cut.ndjson.gz', whole)
  const again = await importFile('cut.ndjson.gz')
  assert.equal(again.code, 0)
  assert.equal(again.report.in + again.report.unchanged, 3000)
})

const MANY = 12_000

test('an import that is killed is finished by running it again: nothing is lost or doubled', async () => {
  operator.file('killed.ndjson', patients('k', 0, MANY))
  const has = async () => (await call(target(), 'GET', 'Patient/k500')).status === 200
  const { code } = await operator.run(['import', 'killed.ndjson'], {
    onStart: (child) => void until(has, Boolean).then(() => child.kill('SIGKILL')),
  })
  assert.equal(code, 137)
  assert.equal((await call(target(), 'GET', `Patient/k${MANY - 1}`)).status, 404, 'it was cut off')
  const { report } = await importFile('killed.ndjson')
  assert.equal(report.in + report.unchanged, MANY)
  assert.ok(report.unchanged > 0)
  assert.equal((await call(target(), 'GET', `Patient/k500`)).body.meta.versionId, '1')
})

test('so is one whose server was killed, and it says what happened', async () => {
  operator.file('server.ndjson', patients('s', 0, MANY))
  const has = async () => (await call(target(), 'GET', 'Patient/s500')).status === 200
  const before = await count('Patient')
  const { code, err } = await operator.run(['import', 'server.ndjson'], {
    onStart: () => void until(has, Boolean).then(() => server.child.kill('SIGKILL')),
  })
  assert.equal(code, 1)
  assert.match(err, /broke off|no answer from/)
  assert.match(err, /fix: /)
  await server.exited
  server = await operator.up({ config, env, port: Number(new URL(server.url).port) })
  const { report } = await importFile('server.ndjson')
  assert.equal(report.in + report.unchanged, MANY)
  assert.equal(await count('Patient'), before + MANY)
  assert.equal((await call(target(), 'GET', `Patient/s500`)).body.meta.versionId, '1')
})
