import {
  type Access,
  allowedFor,
  compileClause,
  compilePredicate,
  extract,
  type FhirResource,
  type Filter,
  type SearchQuery,
  type VisibilityLookup,
} from '@scopegate/fhir-model'
import { BASE } from './test-repository.ts'

const options = { base: BASE }

/** Nothing of the kind is asked in these tests. */
export const NO_LOOKUP: VisibilityLookup = {
  isVisible: async () => false,
  hasVisibleAttachment: async () => false,
  hasVisibleReferrer: async () => false,
  wouldBeVisible: async () => false,
}

/** What a search must find, by looking at every resource with the matcher. */
export function fullScan(
  store: readonly FhirResource[],
  { type, filters }: SearchQuery,
  access: Access,
): string[] {
  return permitted(store, type, access)
    .filter((resource) => filters.every((filter) => fits(store, filter, resource, access)))
    .map(({ id }) => id!)
    .sort()
}

function permitted(store: readonly FhirResource[], type: string, access: Access): FhirResource[] {
  const matcher = compilePredicate(type, allowedFor(access, 's', type), options)
  return store.filter(
    (resource) => resource.resourceType === type && matcher.permits(resource, NO_LOOKUP) === true,
  )
}

function fits(
  store: readonly FhirResource[],
  filter: Filter,
  resource: FhirResource,
  access: Access,
): boolean {
  switch (filter.kind) {
    case 'clause':
      return compileClause(resource.resourceType, filter, options)(resource)
    case 'chain':
      return filter.targets.some((target) =>
        permitted(store, target.type, access).some(
          (inner) =>
            refers(resource, filter.param, inner) && fits(store, target.filter, inner, access),
        ),
      )
    case 'has':
      return permitted(store, filter.type, access).some(
        (inner) =>
          refers(inner, filter.param, resource) && fits(store, filter.filter, inner, access),
      )
  }
}

function refers(from: FhirResource, param: string, to: FhirResource): boolean {
  return extract(from.resourceType, param, from, options).some(
    (value) => value.kind === 'reference' && value.type === to.resourceType && value.id === to.id,
  )
}
