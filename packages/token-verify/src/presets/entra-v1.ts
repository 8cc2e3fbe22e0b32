import { ENTRA } from './entra-v2.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/** Microsoft Entra ID, v1.0 access tokens: what APIs get whose manifest does not ask for v2. */
export const entraV1: IssuerPreset = {
  ...ENTRA,
  title: 'Microsoft Entra ID (v1.0 tokens)',
  issuer: 'https://sts.windows.net/{tenant}/',
  parts: { host: 'login.microsoftonline.com' },
  discovery: 'https://{host}/{tenant}/.well-known/openid-configuration',
  remarks: [
    'the issuer ends in a slash',
    'the audience is the App ID URI (`api://…`) or the client ID of the API, as the app asked for it: list both in `audiences` of the endpoint',
    'the client is in `appid`',
  ],
}
