import { ENTRA } from './entra-v2.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/**
 * Microsoft Entra External ID (customers and citizens). The issuer is spelled with the tenant ID in
 * the host name, whatever name the sign-in pages have.
 */
export const entraExternalId: IssuerPreset = {
  ...ENTRA,
  title: 'Microsoft Entra External ID',
  issuer: 'https://{tenant}.ciamlogin.com/{tenant}/v2.0',
  remarks: [
    'write `tenant` as the tenant ID (a GUID), not as the name before .ciamlogin.com',
    'with a custom domain set `discoveryUrl` to its metadata; the `iss` of tokens stays that of the tenant',
    'the audience is the client ID of the app registration of the API',
  ],
}
