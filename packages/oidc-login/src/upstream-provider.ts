import type { ClaimMapping } from './claim-mapping.ts'
import { findSourceProblem } from './claim-mapping.ts'
import { PRESETS, type PresetName } from './presets/index.ts'
import type { ProviderPreset } from './presets/preset.ts'
import { isLoopbackHost } from './provider-fetch.ts'

/** How this server proves to the provider that it is the registered client. */
export type UpstreamAuthentication =
  /** Sent in the form or by HTTP Basic, as the provider says it supports. */
  | { readonly method: 'secret'; readonly secret: string }
  | {
      readonly method: 'private_key_jwt'
      /** PEM (PKCS #8) or a private JWK. RSA, P-256, P-384 or Ed25519. */
      readonly privateKey: string
      /** The `kid` of the registered public key, where the provider asks for it. */
      readonly keyId?: string
      /** PEM, where the provider knows the key by its certificate (Entra). */
      readonly certificate?: string
    }

/** A provider as configured. Secrets are values here: whoever reads the configuration resolved them. */
export interface UpstreamProvider {
  /** Stands in URLs: `entra`. */
  readonly name: string
  readonly preset: PresetName
  readonly label?: string
  /** The exact issuer; made of the preset's template if absent. */
  readonly issuer?: string
  /** Entra: the directory (tenant) id, or `organizations`, `common`, `consumers` with `tenants`. */
  readonly tenant?: string
  /** Entra: directory ids that may sign in, where `tenant` names no single one. */
  readonly tenants?: readonly string[]
  /** Okta, Auth0: such as `example.okta.com`. */
  readonly domain?: string
  /** Keycloak: its base URL, such as `https://sso.example.org`. */
  readonly url?: string
  /** Keycloak. */
  readonly realm?: string
  /** Google: the Workspace domain whose accounts may sign in. */
  readonly hostedDomain?: string
  readonly clientId: string
  readonly authentication: UpstreamAuthentication
  readonly scopes?: readonly string[]
  /** Sent with every authorization request beside ours: `resource`, `audience`, `access_type`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Replaces the rule of the preset. */
  readonly userInfo?: ProviderPreset['userInfo']
  /** Members here replace those of the preset. */
  readonly claims?: ClaimMapping
  /** Declares every e-mail address of this provider verified. */
  readonly trustEmail?: boolean
}

type OrUndefined<T> = { readonly [member in keyof T]: T[member] | undefined }

/** A provider as a file spells it: members may be there and undefined. */
export type WrittenProvider = OrUndefined<Partial<Omit<UpstreamProvider, 'preset' | 'claims'>>> & {
  readonly preset: PresetName
  readonly claims?: OrUndefined<ClaimMapping> | undefined
}

/** A provider with its preset filled in. */
export interface ResolvedProvider extends UpstreamProvider {
  readonly label: string
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly claims: ClaimMapping
  readonly rules: ProviderPreset
}

/** A setting of a provider that cannot be used. `path` is below the provider. */
export interface ProviderProblem {
  readonly path: readonly string[]
  readonly message: string
  readonly fix: string
}

/** Settings of providers that cannot be used: the process does not start. */
export class UpstreamProviderError extends Error {
  override readonly name = 'UpstreamProviderError'
}

const SHARED_TENANTS = new Set(['common', 'organizations', 'consumers'])
const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const TEMPLATE_FIXES: Readonly<Record<string, string>> = {
  tenant: 'write the Directory (tenant) ID of the app registration, or give the `issuer`',
  domain: 'write the host name, such as `example.okta.com`, or give the `issuer`',
  url: 'write the base URL, such as `https://sso.example.org`, or give the `issuer`',
  realm: 'write the name of the realm, or give the `issuer`',
}

/**
 * What of a provider's settings cannot be right; empty if it may work. Pure: asks no server.
 * `authentication` is not looked at, since a configuration checks its references elsewhere.
 */
export function findProviderProblems(provider: WrittenProvider): readonly ProviderProblem[] {
  const problems: ProviderProblem[] = []
  const add = (path: readonly string[], message: string, fix: string) =>
    problems.push({ path, message, fix })
  const rules: ProviderPreset = PRESETS[provider.preset]

  if (provider.issuer === undefined) {
    if (rules.issuerTemplate === undefined) {
      add(['issuer'], 'missing', 'write the issuer, as its discovery document spells it')
    }
    for (const member of missingMembers(rules, provider)) {
      add([member], 'missing', TEMPLATE_FIXES[member] ?? 'give the `issuer`')
    }
  }
  const issuer = issuerOf(provider)
  if (issuer !== undefined) {
    const problem = findIssuerProblem(issuer)
    if (problem !== undefined) {
      const at = provider.issuer === undefined ? (provider.url ? 'url' : 'domain') : 'issuer'
      add([at], problem, 'write an https URL; plain http is for loopback only')
    }
  }
  if (rules.quirk === 'entra') problems.push(...findTenantProblems(provider))
  if (provider.scopes !== undefined && !provider.scopes.includes('openid')) {
    add(['scopes'], '`openid` is missing', 'add `openid`: without it there is no ID token')
  }
  for (const [member, source] of Object.entries(provider.claims ?? {})) {
    if (source === undefined) continue
    const text: string = typeof source === 'string' ? source : source.from
    const problem = findSourceProblem(text)
    if (problem !== undefined) {
      add(
        ['claims', member],
        `\`${text}\` ${problem}`,
        'write a claim, a JSON pointer such as `/realm_access/roles`, or a template such as `Practitioner/{employeeId}`',
      )
    }
  }
  return problems
}

/** @throws {UpstreamProviderError} naming every problem of every provider. */
export function resolveProviders(
  providers: readonly UpstreamProvider[],
): ReadonlyMap<string, ResolvedProvider> {
  const problems = providers.flatMap((provider) =>
    findProviderProblems(provider).map(
      ({ path, message, fix }) => `\`${provider.name}\`.${path.join('.')}: ${message}; ${fix}`,
    ),
  )
  const names = providers.map(({ name }) => name)
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    problems.push(`two providers are named \`${name}\`; give each its own name`)
  }
  for (const name of names) {
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
      problems.push(`\`${name}\` is no name: it stands in URLs; use a-z, 0-9 and \`-\``)
    }
  }
  if (problems.length > 0) throw new UpstreamProviderError(problems.join('\n'))
  return new Map(providers.map((provider) => [provider.name, resolve(provider)]))
}

function resolve(provider: UpstreamProvider): ResolvedProvider {
  const rules: ProviderPreset = PRESETS[provider.preset]
  return {
    ...provider,
    label: provider.label ?? rules.label,
    issuer: issuerOf(provider) ?? '',
    scopes: provider.scopes ?? rules.scopes,
    claims: { ...rules.claims, ...provider.claims },
    rules: provider.userInfo === undefined ? rules : { ...rules, userInfo: provider.userInfo },
  }
}

function issuerOf(provider: WrittenProvider): string | undefined {
  const rules: ProviderPreset = PRESETS[provider.preset]
  if (provider.issuer !== undefined) return provider.issuer
  if (rules.issuerTemplate === undefined || missingMembers(rules, provider).length > 0) return
  return rules.issuerTemplate.replaceAll(/\{(\w+)\}/g, (_, member: string) => {
    const value = String((provider as unknown as Record<string, unknown>)[member])
    // `url` is the one that holds slashes; one at its end would be doubled.
    return member === 'url' ? value.replace(/\/+$/, '') : encodeURIComponent(value)
  })
}

function missingMembers(rules: ProviderPreset, provider: object): readonly string[] {
  return [...(rules.issuerTemplate ?? '').matchAll(/\{(\w+)\}/g)]
    .map(([, member = '']) => member)
    .filter((member) => (provider as Record<string, unknown>)[member] === undefined)
}

function findIssuerProblem(issuer: string): string | undefined {
  const url = URL.parse(issuer)
  if (url === null) return `\`${issuer}\` is not a URL`
  if (url.username !== '' || url.password !== '') return 'holds a user name or a password'
  if (url.search !== '' || url.hash !== '') return `\`${issuer}\` has a query or a fragment`
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:' && isLoopbackHost(url.hostname)) return undefined
  return `\`${issuer}\` is not https`
}

function findTenantProblems({
  tenant,
  tenants,
  issuer,
}: WrittenProvider): readonly ProviderProblem[] {
  const shared = tenant !== undefined && SHARED_TENANTS.has(tenant)
  if (shared && (tenants === undefined || tenants.length === 0)) {
    const message = `\`${tenant}\` lets people of every Microsoft directory in`
    const fix =
      'list the directory ids that may sign in under `tenants`, or write your own as `tenant`'
    return [{ path: ['tenants'], message, fix }]
  }
  const problems: ProviderProblem[] = []
  const fix = 'write the Directory (tenant) ID, a GUID, from the overview of the app registration'
  if (issuer === undefined && tenant !== undefined && !shared && !GUID.test(tenant)) {
    problems.push({ path: ['tenant'], message: `\`${tenant}\` is no directory id`, fix })
  }
  for (const id of tenants ?? []) {
    if (!GUID.test(id)) {
      problems.push({ path: ['tenants'], message: `\`${id}\` is no directory id`, fix })
    }
  }
  return problems
}

/** Directory ids that may sign in at this provider; `undefined` where there are no directories. */
export function allowedTenants(provider: ResolvedProvider): readonly string[] | undefined {
  if (provider.rules.quirk !== 'entra') return undefined
  if (provider.tenants !== undefined && provider.tenants.length > 0) return provider.tenants
  return provider.tenant === undefined ? undefined : [provider.tenant]
}
