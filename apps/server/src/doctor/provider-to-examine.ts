import { PRESETS, type ProviderPreset } from '@scopegate/oidc-login'
import { SIGNATURE_ALGORITHMS } from '@scopegate/token-verify'
import type { ConfiguredProvider } from '../config/configured-provider.ts'
import type { IssuerToExamine } from './examine-issuer.ts'

/** Where people sign in elsewhere, as an issuer to look at. */
export function providerToExamine(provider: ConfiguredProvider, index: number): IssuerToExamine {
  const preset: ProviderPreset = PRESETS[provider.preset]
  const { name, tenant, domain, url, realm } = provider
  const parts: Readonly<Record<string, string | undefined>> = { tenant, domain, realm }
  const issuer =
    provider.issuer ??
    (preset.issuerTemplate ?? '')
      .replace('{url}', (url ?? '').replace(/\/$/, ''))
      .replaceAll(/\{(\w+)\}/g, (_, part: string) => parts[part] ?? '')
  return {
    subject: `login ${name}`,
    setting: `login.providers[${index}]`,
    issuer,
    aliases: [],
    discoveryUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    algorithms: SIGNATURE_ALGORITHMS,
    endpoints: ['authorization_endpoint', 'token_endpoint'],
  }
}
