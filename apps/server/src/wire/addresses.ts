import { adminPlace } from '../config/admin-place.ts'
import type { Config } from '../config.ts'

/** Where the parts are, without a trailing slash. */
export interface Addresses {
  readonly fhirUrl: string
  readonly adminUrl: string
}

export function addressesOf({ url, settings }: Config): Addresses {
  return {
    fhirUrl: `${url}${settings.fhir.r4.path}`,
    adminUrl: `${adminPlace(settings).url}/admin/api`,
  }
}
