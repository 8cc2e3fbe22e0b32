import { BROKER_ERRORS } from './broker-table.ts'
import { CREDENTIAL_ERRORS } from './credential-table.ts'
import { ENTRA_ERRORS } from './entra-table.ts'
import { EPIC_ERRORS } from './epic-table.ts'
import { GENERIC_ERRORS } from './generic-table.ts'
import { GOOGLE_ERRORS } from './google-table.ts'
import { KEYCLOAK_ERRORS } from './keycloak-table.ts'
import { NETWORK_ERRORS } from './network-table.ts'
import { OKTA_ERRORS } from './okta-table.ts'
import { ORACLE_HEALTH_ERRORS } from './oracle-health-table.ts'
import type { ProviderErrorRow } from './provider-error.ts'
import { RESOURCE_ERRORS } from './resource-table.ts'

/** The catalogue by chapters, in the order of docs/provider-errors.md. */
export const PROVIDER_ERROR_CHAPTERS = [
  ['Secrets and keys, before anything is sent', CREDENTIAL_ERRORS],
  ['Connections and sign-in, as this server keeps them', BROKER_ERRORS],
  ['Name, route, TLS and proxy', NETWORK_ERRORS],
  ['Any provider', GENERIC_ERRORS],
  ['Microsoft Entra ID', ENTRA_ERRORS],
  ['Google', GOOGLE_ERRORS],
  ['Keycloak', KEYCLOAK_ERRORS],
  ['Okta', OKTA_ERRORS],
  ['Epic', EPIC_ERRORS],
  ['Oracle Health (Cerner)', ORACLE_HEALTH_ERRORS],
  ['A resource refuses the token', RESOURCE_ERRORS],
] as const satisfies readonly (readonly [string, Readonly<Record<string, ProviderErrorRow>>])[]

/** Every way in which getting or using a token can fail, by its code. */
export const PROVIDER_ERRORS = {
  ...CREDENTIAL_ERRORS,
  ...BROKER_ERRORS,
  ...NETWORK_ERRORS,
  ...GENERIC_ERRORS,
  ...ENTRA_ERRORS,
  ...GOOGLE_ERRORS,
  ...KEYCLOAK_ERRORS,
  ...OKTA_ERRORS,
  ...EPIC_ERRORS,
  ...ORACLE_HEALTH_ERRORS,
  ...RESOURCE_ERRORS,
} as const

export type ProviderErrorCode = keyof typeof PROVIDER_ERRORS
