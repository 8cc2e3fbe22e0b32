import { entra } from './entra.ts'
import type { LabFlavour } from './flavour.ts'
import { generic } from './generic.ts'
import { google } from './google.ts'
import { keycloak } from './keycloak.ts'
import { okta } from './okta.ts'

/** Kinds of provider that the lab can be. */
export const LAB_FLAVOURS = { entra, keycloak, google, okta, generic } as const satisfies Record<
  string,
  LabFlavour
>

export type LabFlavourName = keyof typeof LAB_FLAVOURS
