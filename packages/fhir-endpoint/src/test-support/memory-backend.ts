import { failed } from '@scopegate/checks'
import {
  type Access,
  allowedFor,
  type Clause,
  compileClause,
  compilePredicate,
  type FhirBackend,
  type FhirResource,
  type Letter,
  type StoredVersion,
} from '@scopegate/fhir-model'

const unused = (): never => {
  throw new Error('not part of the memory backend')
}

/** Reads and searches without joins over an array: enough to look at the endpoint by itself. */
export function createMemoryBackend(resources: readonly FhirResource[]): FhirBackend {
  const versions = resources.map((resource): StoredVersion => {
    const lastUpdated = '2026-01-02T03:04:05.678Z'
    const stored = { ...resource, meta: { ...resource.meta, versionId: '1', lastUpdated } }
    return {
      type: resource.resourceType,
      id: resource.id!,
      versionId: 1,
      lastUpdated,
      method: 'PUT',
      deleted: false,
      body: JSON.stringify(stored),
    }
  })
  const isVisible = (version: StoredVersion, access: Access, letter: Letter): boolean => {
    const matcher = compilePredicate(version.type, allowedFor(access, letter, version.type))
    return matcher.sync && matcher.test(JSON.parse(version.body))
  }
  const read: FhirBackend['read'] = async ({ type, id }, access) => {
    const version = versions.find((each) => each.type === type && each.id === id)
    if (version === undefined) return { kind: 'absent', checks: [failed('instance_absent')] }
    if (isVisible(version, access, 'r')) return { kind: 'done', version }
    return { kind: 'absent', checks: [failed('constraint_mismatch')] }
  }
  return {
    read,
    readVersion: (key, versionId, access) =>
      versionId === 1 ? read(key, access) : Promise.resolve({ kind: 'absent', checks: [] }),
    history: unused,
    async search(query, access) {
      const tests = query.filters.map((filter) => compileClause(query.type, filter as Clause))
      const found = versions.filter(
        (version) =>
          version.type === query.type &&
          isVisible(version, access, 's') &&
          tests.every((test) => test(JSON.parse(version.body))),
      )
      const from = Number(query.after?.[0] ?? 0)
      const matches = found.slice(from, from + query.count)
      const end = from + matches.length
      return {
        matches,
        includes: [],
        ...(query.total === 'none' ? {} : { total: found.length }),
        ...(end < found.length && query.count > 0 ? { next: [end] } : {}),
      }
    },
    create: unused,
    update: unused,
    delete: unused,
    transaction: unused,
  }
}
