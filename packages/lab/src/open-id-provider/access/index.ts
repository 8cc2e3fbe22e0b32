import type { AccessFlavour } from './access-flavour.ts'
import { auth0Access } from './auth0-access.ts'
import { entraAccess } from './entra-access.ts'
import { genericAccess } from './generic-access.ts'
import { googleAccess } from './google-access.ts'
import { keycloakAccess } from './keycloak-access.ts'
import { oktaAccess } from './okta-access.ts'

/** The access side of each flavour. */
export const ACCESS_FLAVOURS = {
  entra: entraAccess('2.0'),
  'entra-v2': entraAccess('2.0'),
  'entra-v1': entraAccess('1.0'),
  keycloak: keycloakAccess,
  google: googleAccess,
  okta: oktaAccess,
  auth0: auth0Access,
  generic: genericAccess,
} as const satisfies Record<string, AccessFlavour>
