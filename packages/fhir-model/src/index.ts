export type * from './access.ts'
export { allowedFor, isUnrestricted, LETTERS } from './access.ts'
export type * from './backend.ts'
export { SearchRefused } from './backend.ts'
export {
  compartmentParameters,
  patientCompartment,
  primarySubject,
} from './compartments/compartment-tables.ts'
export {
  type CompartmentOptions,
  compartmentsOf,
  guardedPatients,
  isInPatientCompartment,
  type PatientReference,
  patientReferences,
  primaryPatients,
} from './compartments/patient-compartment.ts'
export { isElementOf, mandatoryElements, summaryElements } from './definitions/elements.ts'
export { isCaseSensitive } from './definitions/is-case-sensitive.ts'
export { isResourceType, RESOURCE_TYPES } from './definitions/resource-types.ts'
export type * from './definitions/search-parameter.ts'
export { searchParameter, searchParameters } from './definitions/search-parameters.ts'
export { type DateRange, searchDateRange, storedDateRange } from './extract/date-range.ts'
export { type ExtractOptions, extract, extractAll } from './extract/extract.ts'
export { foldString } from './extract/fold-string.ts'
export type * from './extract/index-value.ts'
export { numberOf } from './extract/number-of.ts'
export { parseCanonical, parseReference } from './extract/parse-reference.ts'
export { editReferences, referencesIn } from './json/edit-references.ts'
export { type ParsedResource, type ParseOptions, parseResource } from './json/parse-resource.ts'
export { type MemberSpan, readItems, readMembers, type Span, skipSpace } from './json/read-spans.ts'
export { replaceStringsAt, type StringEdit } from './json/replace-strings.ts'
export { type ServerSet, withIdAndMeta } from './json/with-id-and-meta.ts'
export { isCaseSensitiveToken, normalCode, sameCode } from './match/code-case.ts'
export { compileClause, type MatchOptions, type ResourceTest } from './match/compile-clause.ts'
export {
  compilePredicate,
  type Matcher,
  type PermitsTest,
  permits,
  type SubmittedBody,
  type SyncTest,
} from './match/compile-predicate.ts'
export { uriAncestors } from './match/match-value.ts'
export type * from './match/visibility-lookup.ts'
export type * from './predicate.ts'
export { ALL, allOf, anyOf, NONE } from './predicate.ts'
export type { PathPart, Problem } from './problem.ts'
export type * from './query.ts'
export type * from './resource.ts'
export { escapeValue } from './search/escapes.ts'
export { formatSearch } from './search/format-search.ts'
export {
  type JoinedType,
  type JoinNeed,
  joinedTypes,
  type RestrictedTargets,
  restrictTargets,
} from './search/joined-types.ts'
export {
  type ParsedScopeConstraint,
  parseScopeConstraint,
  type ScopeConstraintOptions,
} from './search/parse-scope-constraint.ts'
export { type ParsedSearch, parseSearch, type SearchOptions } from './search/parse-search.ts'
export { isSortable, RESULT_PARAMETERS } from './search/result-parameters.ts'
export { SEARCH_LIMITS, type SearchLimits } from './search/search-limits.ts'
export type { Fault, SearchProblem } from './search/search-problem.ts'
export { validateResource } from './validate/validate-resource.ts'
