import assert from 'node:assert/strict'
import { compileClause, type FhirResource, type Filter, parseSearch } from '@scopegate/fhir-model'
import { type LoadTarget, MARKER_SYSTEM, type Stored, type WriteLoad } from './write-load.ts'

type Bundle = {
  readonly total?: number
  readonly link?: readonly { relation: string; url: string }[]
  readonly entry?: readonly { resource: FhirResource }[]
}

async function get({ fhir, token }: LoadTarget, path: string): Promise<Response> {
  const url = path.startsWith('http') ? path : `${fhir}/${path}`
  return fetch(url, { headers: { authorization: `Bearer ${token}` } })
}

/** Every resource that a search finds, page by page. */
export async function findAll(target: LoadTarget, path: string): Promise<FhirResource[]> {
  const found: FhirResource[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const response: Response = await get(target, next)
    const text = await response.text()
    assert.equal(response.status, 200, `${next}: ${text}`)
    const bundle = JSON.parse(text) as Bundle
    found.push(...(bundle.entry ?? []).map(({ resource }) => resource))
    next = bundle.link?.find(({ relation }) => relation === 'next')?.url
  }
  return found
}

/** Every current Patient, and what the load wrote into it. */
export async function readStored(target: LoadTarget): Promise<Stored[]> {
  return (await findAll(target, 'Patient?_count=1000')).map((resource) => {
    const { identifier, meta } = resource as unknown as {
      identifier?: { value: string }[]
      meta: { versionId: string }
    }
    return {
      id: String(resource.id),
      version: Number(meta.versionId),
      marker: identifier?.[0]?.value ?? '',
      resource: resource as unknown as Stored['resource'],
    }
  })
}

const QUERIES = [
  'gender=female',
  'gender=male,other',
  'active=true',
  'active:not=true',
  'family=b',
  'family:exact=Özil',
  'name:contains=hara',
  'birthdate=lt1950',
  'birthdate=ge1980-05&birthdate=lt1990',
  'gender:missing=false&active=false',
]

/** Asserts that the indexes say what the resources say: a search finds what looking at each one finds. */
export async function assertIndexesAgree(
  target: LoadTarget,
  stored: readonly Stored[],
): Promise<void> {
  for (const query of QUERIES) {
    const expected = scan(query, stored)
    const found = await findAll(target, `Patient?${query}&_count=1000`)
    assert.deepEqual(found.map(({ id }) => id).sort(), expected, query)
    const counted = (await (await get(target, `Patient?${query}&_summary=count`)).json()) as Bundle
    assert.equal(counted.total, expected.length, `the count of ${query}`)
  }
  const marked = stored.filter(({ marker }) => marker !== '')
  for (let from = 0; from < marked.length; from += 100) {
    const some = marked.slice(from, from + 100)
    const wanted = new Set(some.map(({ marker }) => marker))
    const values = [...wanted].map((marker) => `${MARKER_SYSTEM}|${marker}`).join(',')
    const found = await findAll(target, `Patient?identifier=${values}&_count=1000`)
    const expected = stored.filter(({ marker }) => wanted.has(marker)).map(({ id }) => id)
    assert.deepEqual(found.map(({ id }) => id).sort(), expected.sort(), 'by identifier')
  }
}

function scan(query: string, stored: readonly Stored[]): string[] {
  const parsed = parseSearch('Patient', [...new URLSearchParams(query)] as never, {} as never)
  assert.ok(parsed.ok, query)
  const clauses = parsed.query.filters.map((filter: Filter) => {
    assert.ok(filter.kind === 'clause')
    return compileClause('Patient', filter, {})
  })
  return stored
    .filter(({ resource }) => clauses.every((fits) => fits(resource as unknown as FhirResource)))
    .map(({ id }) => id)
    .sort()
}

/** Asserts that a version that was acknowledged can be read again as it was. */
export async function assertVersions(
  target: LoadTarget,
  versions: ReturnType<WriteLoad['sample']>,
): Promise<void> {
  for (const { id, version, marker } of versions) {
    const response = await get(target, `Patient/${id}/_history/${version}`)
    const body = (await response.json()) as { identifier?: { value: string }[] }
    assert.equal(response.status, marker === null ? 410 : 200, `Patient/${id} version ${version}`)
    if (marker !== null) assert.equal(body.identifier?.[0]?.value, marker)
  }
}
