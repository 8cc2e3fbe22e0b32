import { athenahealth } from './athenahealth.ts'
import { auth0 } from './auth0.ts'
import { entra } from './entra.ts'
import { epic } from './epic.ts'
import { generic } from './generic.ts'
import { google } from './google.ts'
import { keycloak } from './keycloak.ts'
import { okta } from './okta.ts'
import { oracleHealth } from './oracle-health.ts'
import type { ConnectionPreset } from './preset.ts'
import { smart } from './smart.ts'

/** Kinds of provider that are known by name. */
export const CONNECTION_PRESETS = {
  entra,
  google,
  okta,
  auth0,
  keycloak,
  epic,
  'oracle-health': oracleHealth,
  athenahealth,
  smart,
  generic,
} as const satisfies Record<string, ConnectionPreset>

export type ConnectionPresetName = keyof typeof CONNECTION_PRESETS

export const CONNECTION_PRESET_NAMES = Object.keys(CONNECTION_PRESETS) as [
  ConnectionPresetName,
  ...ConnectionPresetName[],
]
