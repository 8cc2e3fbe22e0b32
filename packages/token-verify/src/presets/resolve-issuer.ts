import type { AppOnlyRule } from '../app-only.ts'
import { type ClaimPlaces, fillClaims } from '../claim-places.ts'
import type { ClientAuthentication } from '../client-authentication.ts'
import { createIntrospection } from '../create-introspection.ts'
import { createDiscovery } from '../discovery.ts'
import { RFC_7662 } from '../introspection-form.ts'
import type { Issuer } from '../issuer.ts'
import type { KeySource } from '../key-source.ts'
import { keysFromDiscovery, keysFromFile, keysFromUrl } from '../key-sources.ts'
import type { NetworkPolicy } from '../network-policy.ts'
import { ISSUER_PRESETS, type IssuerPresetName } from './index.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/** An issuer as its operator describes it; what is missing is as the preset has it. */
export interface IssuerSettings {
  readonly preset?: IssuerPresetName
  readonly issuer?: string
  /** What the preset makes the issuer of: `tenant`, `domain`, `realm` and the like. */
  readonly parts?: Readonly<Record<string, string | undefined>>
  readonly aliases?: readonly string[]
  readonly backchannelUrl?: string
  readonly discoveryUrl?: string
  readonly keysUrl?: string
  readonly keysFile?: string
  readonly algorithms?: readonly string[]
  readonly typ?: IssuerPreset['typ']
  readonly requiredClaims?: readonly string[]
  readonly claimValues?: Readonly<Record<string, readonly string[]>>
  readonly claims?: Partial<ClaimPlaces>
  readonly appOnly?: AppOnlyRule
  readonly scopes?: {
    readonly map?: Readonly<Record<string, string>>
    readonly strip?: readonly string[]
    readonly unmapped?: 'pass' | 'drop'
  }
  /** How long a key set serves on through an outage. */
  readonly keysStaleSeconds?: number
  readonly introspection?: {
    readonly url?: string
    /** Missing where the preset asks without. */
    readonly authentication?: ClientAuthentication
    readonly cacheSeconds: number
    readonly when: 'opaque' | 'always'
  }
}

export interface IssuerProblem {
  readonly path: readonly string[]
  readonly message: string
  readonly fix: string
}

/** What cannot be right about the settings of an issuer, for the operator. */
export function findIssuerProblems(settings: IssuerSettings): readonly IssuerProblem[] {
  const problems: IssuerProblem[] = []
  const name = settings.preset ?? 'generic'
  const preset: IssuerPreset = ISSUER_PRESETS[name]
  const missing = missingParts(preset, settings)
  if (settings.issuer === undefined && missing.length > 0) {
    const [first = 'issuer'] = missing
    problems.push({
      path: [first],
      message: 'required',
      fix:
        preset.issuer === undefined
          ? 'write the `iss` of its tokens, exactly'
          : `the preset \`${name}\` makes the issuer of ${missing.map((each) => `\`${each}\``).join(' and ')}: write it, or \`issuer\` itself`,
    })
  }
  const { tenant } = preset
  if (settings.issuer !== undefined && tenant && settings.parts?.[tenant.setting] === undefined) {
    problems.push({
      path: [tenant.setting],
      message: 'required: tokens of other tenants must not pass',
      fix: `write the value that \`${tenant.claim}\` has in its tokens`,
    })
  }
  const { introspection } = settings
  if (introspection && !introspection.authentication && preset.introspection?.isPublic !== true) {
    problems.push({
      path: ['introspection'],
      message: 'this server must authenticate to ask about tokens',
      fix: 'give `clientId` and one of `secret` and `privateKey`',
    })
  }
  return problems
}

/** The issuer as its tokens name it. INVARIANT: the settings have no problems. */
export function nameOfIssuer(settings: IssuerSettings): string {
  const preset: IssuerPreset = ISSUER_PRESETS[settings.preset ?? 'generic']
  return settings.issuer ?? filled(preset.issuer ?? '', preset, settings)
}

export interface ResolveIssuerDeps {
  readonly network: NetworkPolicy
  /** Epoch milliseconds. */
  readonly nowMs: () => number
}

/** An issuer with its keys, as a verifier takes it. @throws {TypeError} on settings with problems */
export function resolveIssuer(settings: IssuerSettings, deps: ResolveIssuerDeps): Issuer {
  const [problem] = findIssuerProblems(settings)
  if (problem !== undefined) {
    throw new TypeError(`${problem.path.join('.')}: ${problem.message}; ${problem.fix}`)
  }
  const preset: IssuerPreset = ISSUER_PRESETS[settings.preset ?? 'generic']
  const issuer = nameOfIssuer(settings)
  const network = networkFor(settings, deps.network)
  const algorithms = settings.algorithms ?? preset.algorithms
  const typ = settings.typ ?? preset.typ
  const appOnly = settings.appOnly ?? preset.appOnly
  const claimValues = settings.claimValues ?? preset.claimValues
  const tenant = preset.tenant === undefined ? undefined : settings.parts?.[preset.tenant.setting]
  const requiredClaims =
    settings.requiredClaims ??
    (typ === 'at+jwt' && (settings.preset ?? 'generic') === 'generic'
      ? ['sub', 'aud', 'iat', 'jti', 'client_id']
      : preset.requiredClaims)
  return {
    issuer,
    aliases: settings.aliases ?? [],
    keys: keysOf(issuer, settings, preset, { ...deps, network }),
    ...(algorithms === undefined ? {} : { algorithms }),
    typ,
    requiredClaims,
    ...(claimValues === undefined ? {} : { claimValues }),
    ...(tenant === undefined ? {} : { tenant: { claim: preset.tenant!.claim, value: tenant } }),
    claims: { ...preset.claims, ...settings.claims },
    ...(appOnly === undefined ? {} : { appOnly }),
    ...scopeNames(settings, preset),
    ...introspectionOf(issuer, settings, preset, { ...deps, network }),
  }
}

/** Where nothing is to be translated, scopes are taken as they are, without a look at each. */
function scopeNames({ scopes = {} }: IssuerSettings, preset: IssuerPreset): Partial<Issuer> {
  const { map = {}, strip = [], unmapped = preset.unmapped } = scopes
  const isPlain = Object.keys(map).length === 0 && strip.length === 0 && unmapped === 'pass'
  return isPlain ? {} : { scopeNames: { map, strip, unmapped } }
}

function keysOf(
  issuer: string,
  settings: IssuerSettings,
  preset: IssuerPreset,
  { network, nowMs }: ResolveIssuerDeps,
): KeySource {
  const { keysFile, keysUrl, keysStaleSeconds } = settings
  if (keysFile !== undefined) return keysFromFile(keysFile, { nowMs })
  const options = {
    ...{ network, nowMs },
    ...(keysStaleSeconds === undefined ? {} : { staleSeconds: keysStaleSeconds }),
  }
  return keysUrl === undefined
    ? keysFromDiscovery(issuer, options, discoveryOf(settings, preset))
    : keysFromUrl(keysUrl, options)
}

function discoveryOf(settings: IssuerSettings, preset: IssuerPreset) {
  const { aliases = [], backchannelUrl, issuer, discoveryUrl } = settings
  const url =
    discoveryUrl ??
    (issuer === undefined && preset.discovery !== undefined
      ? filled(preset.discovery, preset, settings)
      : undefined)
  return {
    aliases,
    ...(backchannelUrl === undefined ? {} : { backchannelUrl }),
    ...(url === undefined ? {} : { url }),
  }
}

function introspectionOf(
  issuer: string,
  settings: IssuerSettings,
  preset: IssuerPreset,
  { network, nowMs }: ResolveIssuerDeps,
): Partial<Issuer> {
  const { introspection, aliases = [] } = settings
  if (introspection === undefined) return {}
  const form = preset.introspection ?? RFC_7662
  const discovery = createDiscovery({ issuer, network, ...discoveryOf(settings, preset) })
  return {
    opaqueSeconds: introspection.cacheSeconds,
    isAlwaysAsked: introspection.when === 'always',
    resolveOpaque: createIntrospection({
      ...{ issuer, aliases, form, network, nowMs },
      endpoint: introspection.url ?? form.url ?? (() => discovery.find('introspection_endpoint')),
      authentication: introspection.authentication ?? { method: 'none' },
      cacheSeconds: introspection.cacheSeconds,
    }),
  }
}

/** A back channel is named by the operator, who answers for the network that it is in. */
function networkFor({ backchannelUrl }: IssuerSettings, network: NetworkPolicy): NetworkPolicy {
  if (backchannelUrl === undefined) return network
  const { hostname, protocol } = new URL(backchannelUrl)
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    ...network,
    declaredHosts: [...(network.declaredHosts ?? []), { host, plain: protocol === 'http:' }],
  }
}

function filled(template: string, preset: IssuerPreset, { parts }: IssuerSettings): string {
  const given = Object.entries(parts ?? {}).filter(([, value]) => value !== undefined)
  const text = fillClaims(template, { ...preset.parts, ...Object.fromEntries(given) }) ?? ''
  // `url` may be written with a final slash.
  return text.replaceAll(/([^:])\/\//g, '$1/')
}

function missingParts(preset: IssuerPreset, { parts }: IssuerSettings): readonly string[] {
  if (preset.issuer === undefined) return ['issuer']
  return [...preset.issuer.matchAll(/\{([^}]+)\}/g)]
    .map(([, part = '']) => part)
    .filter((part) => (parts?.[part] ?? preset.parts?.[part]) === undefined)
}
