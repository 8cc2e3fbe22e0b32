import type { FlavourPaths, LabFlavour } from './flavours/flavour.ts'

/** What a request is to: an organisation, or a name that stands for many. */
export interface LabRealm {
  /** The path of its issuer, without a slash at its end. */
  readonly base: string
  /** Its issuer; `{tenantid}` in it stands for that of the user. */
  readonly name: string
  readonly paths: FlavourPaths
  readonly isShared: boolean
}

const SHARED_TENANTS = ['common', 'organizations', 'consumers']

/** Entra serves every directory, three names for many, and both generations at one origin. */
export function realmOf(pathname: string, flavour: LabFlavour, issuerUrl: string): LabRealm {
  const issuer = new URL(issuerUrl)
  const own = issuer.pathname.replace(/\/$/, '')
  if (flavour.hasTenants !== true) {
    return { base: own, name: issuerUrl, paths: flavour.paths(own), isShared: false }
  }
  const first = pathname.split('/')[1] ?? ''
  const isShared = SHARED_TENANTS.includes(first)
  const isV2 = /\/(?:v2\.0|oidc)(?:\/|$)/.test(pathname)
  const root = isShared ? `/${first}` : own.replace(/\/v2\.0$/, '')
  const base = isV2 ? `${root}/v2.0` : root
  const tenant = isShared ? '/{tenantid}' : root
  const name = `${issuer.origin}${tenant}${isV2 ? '/v2.0' : '/'}`
  return { base, name, paths: flavour.paths(base), isShared }
}
