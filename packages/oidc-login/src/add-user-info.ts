import { type Configuration, fetchUserInfo } from 'openid-client'
import { claimsOf, readClaim } from './claim-mapping.ts'
import { refusalOf } from './refusal-of.ts'
import type { ResolvedProvider } from './upstream-provider.ts'

/** Claims of the ID token, and those of userinfo that it lacks, where the mapping wants them. */
export async function addUserInfo(
  configuration: Configuration,
  provider: ResolvedProvider,
  idToken: Readonly<Record<string, unknown>>,
  accessToken: string,
  subject: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { rules, claims } = provider
  const hasEndpoint = configuration.serverMetadata().userinfo_endpoint !== undefined
  if (rules.userInfo === 'never' || !hasEndpoint) return idToken
  const sources = Object.values(claims)
    .filter((source) => source !== undefined)
    .flatMap((source) => claimsOf(typeof source === 'string' ? source : source.from))
  if (sources.every((source) => readClaim(source, idToken) !== undefined)) return idToken
  const info = await fetchUserInfo(configuration, accessToken, subject).catch((error: unknown) => {
    throw refusalOf(error, provider, 'userinfo')
  })
  return { ...info, ...idToken }
}
