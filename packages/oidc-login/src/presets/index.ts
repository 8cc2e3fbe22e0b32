import { auth0 } from './auth0.ts'
import { entra } from './entra.ts'
import { generic } from './generic.ts'
import { google } from './google.ts'
import { keycloak } from './keycloak.ts'
import { okta } from './okta.ts'
import type { ProviderPreset } from './preset.ts'

/** Kinds of provider that are known by name. */
export const PRESETS = { entra, keycloak, google, okta, auth0, generic } as const satisfies Record<
  string,
  ProviderPreset
>

export type PresetName = keyof typeof PRESETS
