import type { ProviderPreset } from './preset.ts'

/**
 * Microsoft Entra ID, v2.0 endpoints. `email` and `preferred_username` can be changed by people and
 * are not verified, unless the optional claim `xms_edov` says that the domain's owner did.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
 */
export const entra: ProviderPreset = {
  label: 'Microsoft',
  issuerTemplate: 'https://login.microsoftonline.com/{tenant}/v2.0',
  scopes: ['openid', 'profile', 'email'],
  claims: { username: 'preferred_username', name: 'name', email: 'email' },
  userInfo: 'never',
  assertionAudience: 'token_endpoint',
  emailVerifiedClaim: 'xms_edov',
  quirk: 'entra',
  fixes: {
    AADSTS50011:
      "register the redirect URI, exactly as shown, under the app registration's Authentication → Web",
    AADSTS50105:
      'assign the user or the group to the enterprise application, or switch "Assignment required" off',
    AADSTS65001: 'an administrator grants consent under API permissions',
    AADSTS65004: 'the user declined to consent; an administrator may grant it for everybody',
    AADSTS90094: 'an administrator grants consent under API permissions',
    AADSTS700016: 'check `clientId` and `tenant`: the directory has no such application',
    AADSTS7000215:
      'the client secret is wrong: copy the value of the secret, not its id, from Certificates & secrets',
    AADSTS7000222: 'the client secret has expired: make another under Certificates & secrets',
    AADSTS700027:
      'the key is not one of the application: upload the certificate under Certificates & secrets and name it in `certificateFile`',
    AADSTS54005: 'the code was used before: the user starts again',
  },
}
