import { PRESETS, type ProviderPreset } from '@scopegate/oidc-login'
import { isLoopbackHost, SIGNATURE_ALGORITHMS } from '@scopegate/token-verify'
import type { ConfiguredProvider } from '../config/configured-provider.ts'
import { type IssuerToExamine, networkOf } from './examine-issuer.ts'

/** What the metadata that all directories of Entra share name as their issuer. */
const SHARED_ISSUERS: Readonly<Record<string, string>> = {
  common: '{tenantid}',
  organizations: '{tenantid}',
  consumers: '9188040d-6c67-4c5b-b112-36a304b66dad',
}

/** Where people sign in elsewhere, as an issuer to look at. */
export function providerToExamine(
  provider: ConfiguredProvider,
  index: number,
  allowLoopback: boolean,
): IssuerToExamine {
  const preset: ProviderPreset = PRESETS[provider.preset]
  const { name, tenant, domain, url, realm } = provider
  const parts: Readonly<Record<string, string | undefined>> = { tenant, domain, realm }
  const issuer =
    provider.issuer ??
    (preset.issuerTemplate ?? '')
      .replace('{url}', (url ?? '').replace(/\/$/, ''))
      .replaceAll(/\{(\w+)\}/g, (_, part: string) => parts[part] ?? '')
  const directory = tenant === undefined ? undefined : SHARED_ISSUERS[tenant]
  const isNear = isLoopbackHost(URL.parse(issuer)?.hostname ?? '')
  return {
    subject: `login ${name}`,
    setting: `login.providers[${index}]`,
    issuer,
    aliases: directory === undefined ? [] : [issuer.replace(`/${tenant}/`, `/${directory}/`)],
    discoveryUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    algorithms: SIGNATURE_ALGORITHMS,
    endpoints: ['authorization_endpoint', 'token_endpoint'],
    network: networkOf(undefined, allowLoopback && isNear),
    reach: (address) => address,
  }
}
