import type { Letter } from '@scopegate/fhir-model'

/** The letter that an interaction needs. @see SMART App Launch 2.2, scopes for requesting FHIR resources */
export const INTERACTION_LETTERS = {
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  'history-type': 's',
  'history-system': 's',
  'search-type': 's',
  'search-system': 's',
  create: 'c',
  update: 'u',
  patch: 'u',
  delete: 'd',
} as const satisfies Record<string, Letter>

export type Interaction = keyof typeof INTERACTION_LETTERS
