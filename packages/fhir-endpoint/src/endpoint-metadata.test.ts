import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SearchParameter, searchParameter } from '@scopegate/fhir-model'
import { BASE } from './test-support/endpoint-under-test.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint(undefined, {
  oauth: { tokenUrl: 'https://api.example/oauth/token' },
  software: { name: 'Scopegate', version: '1' },
  smartConfiguration: () => Response.json({ issuer: 'https://api.example' }),
})
const all = { scope: 'system/*.cruds' }

interface Listed {
  readonly type: string
  readonly interaction: readonly { code: string }[]
  readonly searchParam: readonly { name: string; type: string; definition: string }[]
  readonly searchInclude?: readonly string[]
  readonly searchRevInclude?: readonly string[]
}

test('the statement needs no token, says how to get one, and may be cached', async () => {
  const answer = await t.send('metadata')
  assert.equal(answer.status, 200)
  assert.equal(answer.json.fhirVersion, '4.0.1')
  assert.equal(answer.json.kind, 'instance')
  assert.equal(answer.json.implementation.url, BASE)
  const { security } = answer.json.rest[0]
  assert.equal(security.service[0].coding[0].code, 'SMART-on-FHIR')
  assert.equal(security.extension[0].extension[0].valueUri, 'https://api.example/oauth/token')
  assert.match(answer.headers.get('cache-control') ?? '', /public/)
  const again = await t.send('metadata', {
    headers: { 'If-None-Match': answer.headers.get('etag') ?? '' },
  })
  assert.equal(again.status, 304)
  assert.equal((await t.send('metadata?mode=normative')).json.rest[0].resource.length, 11)
  assert.equal((await t.send('metadata?mode=terminology')).status, 400)
  assert.equal((await t.send('metadata?_format=xml')).status, 406)
  const smart = await t.send('.well-known/smart-configuration')
  assert.deepEqual(smart.json, { issuer: 'https://api.example' })
})

test('every search parameter that is listed works', async () => {
  const resources: Listed[] = (await t.send('metadata')).json.rest[0].resource
  assert.ok(resources.length > 140)
  const searches = resources.flatMap(({ type, searchParam }) =>
    searchParam.map(
      ({ name }) => `${type}?${name}=${encodeURIComponent(valueFor(type, name))}&_count=1`,
    ),
  )
  assert.ok(searches.length > 1000)
  await inParallel(searches, async (search) => {
    const answer = await t.send(search, { ...all, headers: { Prefer: 'handling=strict' } })
    assert.equal(answer.status, 200, `${search} ${answer.text}`)
    assert.ok(
      answer.json.link[0].url.includes(search.slice(search.indexOf('?') + 1, search.indexOf('='))),
    )
  })
})

test('every include that is listed is understood', async () => {
  const resources: Listed[] = (await t.send('metadata')).json.rest[0].resource
  await inParallel(resources, async ({ type, searchInclude = [], searchRevInclude = [] }) => {
    const some = [
      ...searchInclude.slice(0, 30).map((value) => `_include=${value}`),
      ...searchRevInclude.slice(0, 30).map((value) => `_revinclude=${value}`),
    ]
    const answer = await t.send(`${type}?_count=1&_id=nope&${some.join('&')}`, all)
    assert.equal(answer.status, 200, `${type} ${answer.text}`)
  })
})

test('every listed type has its interactions, and no other method is answered', async () => {
  const resources: Listed[] = (await t.send('metadata')).json.rest[0].resource
  for (const { type, interaction } of resources) {
    assert.deepEqual(
      interaction.map(({ code }) => code),
      ['read', 'vread', 'history-instance', 'search-type', 'create', 'update', 'delete'],
    )
    assert.equal((await t.send(`${type}/nope`, all)).status, 404)
    assert.equal((await t.send(`${type}/nope`, { ...all, method: 'PATCH' })).status, 405)
    assert.equal((await t.send(`${type}/_history`, all)).status, 404)
    assert.equal(
      (await t.send(`${type}/$validate`, { ...all, method: 'POST', body: {} })).status,
      404,
    )
  }
})

function valueFor(type: string, name: string): string {
  const parameter = searchParameter(type, name)!
  if (parameter.type !== 'composite') return sample(parameter)
  return parameter.components.map(sample).join('$')
}

function sample({
  type,
  targets,
  elementTypes,
}: Pick<SearchParameter, 'type' | 'targets' | 'elementTypes'>): string {
  switch (type) {
    case 'date':
      return '2020-01'
    case 'number':
    case 'quantity':
      return '1'
    case 'uri':
      return 'http://example.org/x'
    case 'reference':
      return `${targets[0] ?? 'Patient'}/x`
    default:
      return elementTypes.includes('boolean') ? 'true' : 'x'
  }
}

async function inParallel<T>(list: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = list.values()
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const one of queue) await work(one)
    }),
  )
}
