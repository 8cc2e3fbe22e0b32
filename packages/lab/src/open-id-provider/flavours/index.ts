import { auth0 } from './auth0.ts'
import { entra, entraV1 } from './entra.ts'
import type { LabFlavour } from './flavour.ts'
import { generic } from './generic.ts'
import { google } from './google.ts'
import { keycloak } from './keycloak.ts'
import { okta } from './okta.ts'

/** Kinds of provider that the lab can be. `entra` is `entra-v2`. */
export const LAB_FLAVOURS = {
  entra,
  'entra-v2': entra,
  'entra-v1': entraV1,
  keycloak,
  google,
  okta,
  auth0,
  generic,
} as const satisfies Record<string, LabFlavour>

export type LabFlavourName = keyof typeof LAB_FLAVOURS
