import type { LabClient } from '../lab-client.ts'
import {
  type AccessFlavour,
  type AccessSettings,
  type AskedAccess,
  words,
} from './access-flavour.ts'
import type { LabAccessTokenWish } from './token-endpoint-types.ts'
import type { TokenProblem } from './token-problem.ts'

/** What the provider would make of a request for what somebody wishes by hand. */
export function askByHand(
  { scopes = [] }: LabAccessTokenWish,
  asking: {
    readonly access: AccessFlavour
    readonly settings: AccessSettings
    readonly client: LabClient
    readonly api: string | undefined
    readonly isApp: boolean
  },
): AskedAccess | TokenProblem {
  const { access, settings, client, api, isApp } = asking
  const isEntra = access.issuer !== undefined
  const uri = api ?? 'api://scopegate'
  const scope = isEntra
    ? isApp
      ? `${uri}/.default`
      : scopes.map((name) => `${uri}/${name}`).join(' ')
    : scopes.join(' ')
  const form = new URLSearchParams({ scope })
  const asked = access.ask({
    ...settings,
    client,
    path: '/oauth2/v2.0/token',
    form,
    ...(isApp ? {} : { authorized: { scope, audience: api } }),
    ...(isEntra || api === undefined ? {} : { audience: api }),
  })
  if (!('problem' in asked)) return isEntra ? asked : { ...asked, scopes: words(scope) }
  return asked.problem === 'scope_missing' || asked.problem === 'resource_missing'
    ? { scopes, audience: api ?? settings.audience ?? 'https://api.example' }
    : asked
}
