import type { ImportResult, ResourceImporter } from '@scopegate/admin-api'
import type { FhirRepository, ImportedLine } from '@scopegate/fhir-repository'

/** The repository as the admin API imports into it. */
export function importerOf(repository: FhirRepository): ResourceImporter {
  let sinceStatistics = 0
  return {
    async importBatch(items) {
      const lines = await repository.importBatch(items.map(({ text }) => text))
      sinceStatistics += lines.length
      // The planner must learn of a large import while it goes on, not when autovacuum comes by.
      if (sinceStatistics > 20_000) {
        sinceStatistics = 0
        await repository.refreshStatistics()
      }
      return lines.map(resultOf)
    },
  }
}

function resultOf(line: ImportedLine): ImportResult {
  if (line.kind !== 'refused') {
    const outcome = line.kind === 'unchanged' ? 'unchanged' : 'in'
    return { type: line.type, id: line.id, outcome }
  }
  const [first, ...more] = line.problems
  const where = first?.expression ? `${first.expression}: ` : ''
  const why = first ? `${where}${first.text}` : 'not valid'
  return {
    ...(line.type !== undefined && { type: line.type }),
    outcome: 'refused',
    why: more.length > 0 ? `${why} (and ${more.length} more)` : why,
  }
}
