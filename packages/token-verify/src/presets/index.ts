import { auth0 } from './auth0.ts'
import { cognito } from './cognito.ts'
import { entraExternalId } from './entra-external-id.ts'
import { entraV1 } from './entra-v1.ts'
import { entraV2 } from './entra-v2.ts'
import { generic } from './generic.ts'
import { google } from './google.ts'
import type { IssuerPreset } from './issuer-preset.ts'
import { keycloak } from './keycloak.ts'
import { okta } from './okta.ts'
import { ping } from './ping.ts'

/** Kinds of issuer that are known by name. */
export const ISSUER_PRESETS = {
  'entra-v1': entraV1,
  'entra-v2': entraV2,
  'entra-external-id': entraExternalId,
  okta,
  auth0,
  keycloak,
  google,
  cognito,
  ping,
  generic,
} as const satisfies Record<string, IssuerPreset>

export type IssuerPresetName = keyof typeof ISSUER_PRESETS
export const ISSUER_PRESET_NAMES = Object.keys(ISSUER_PRESETS) as readonly IssuerPresetName[]
