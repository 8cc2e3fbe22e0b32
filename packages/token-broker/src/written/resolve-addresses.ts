import { CONNECTION_PRESETS } from '../presets/index.ts'
import type { AddressPart, ConnectionPreset } from '../presets/preset.ts'
import type { WrittenConnection } from './written-connection.ts'

/** Where a connection's provider is, as far as its settings say. */
export interface Addresses {
  readonly issuer?: string
  readonly metadataUrls: readonly string[]
  readonly tokenEndpoint?: string
  readonly authorizationEndpoint?: string
  readonly deviceAuthorizationEndpoint?: string
  /** Settings without which no address can be made. */
  readonly missing: readonly AddressPart[]
}

export function presetOf({ preset = 'generic' }: WrittenConnection): ConnectionPreset {
  return CONNECTION_PRESETS[preset]
}

/**
 * Makes the addresses of the preset's templates. What is written wins; and where an issuer is
 * written, endpoints come from its metadata, not from templates for another one.
 */
export function resolveAddresses(written: WrittenConnection): Addresses {
  const preset = presetOf(written)
  const fill = (template: string | undefined) => fillTemplate(template, preset, written)
  const ownIssuer = written.issuer !== undefined
  const found = ownIssuer ? undefined : fill(preset.issuer)
  const issuer = written.issuer ?? found?.text
  const endpoint = ownIssuer ? undefined : fill(preset.tokenEndpoint)
  const tokenEndpoint = written.tokenEndpoint ?? endpoint?.text
  const metadata = metadataOf(written, preset, issuer)
  const known = tokenEndpoint !== undefined || metadata.urls.length > 0
  const blocking = known ? [] : [...(endpoint?.missing ?? found?.missing ?? metadata.missing)]
  const ifKnown = <Name extends 'authorizationEndpoint' | 'deviceAuthorizationEndpoint'>(
    name: Name,
  ) => {
    const value = written[name] ?? (ownIssuer ? undefined : fill(preset[name])?.text)
    return value === undefined ? {} : { [name]: value }
  }
  return {
    ...(issuer !== undefined && { issuer }),
    metadataUrls: metadata.urls,
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
    ...ifKnown('authorizationEndpoint'),
    ...ifKnown('deviceAuthorizationEndpoint'),
    missing: blocking,
  }
}

function metadataOf(
  written: WrittenConnection,
  preset: ConnectionPreset,
  issuer: string | undefined,
): { readonly urls: readonly string[]; readonly missing: readonly AddressPart[] } {
  if (written.metadataUrl !== undefined) return { urls: [written.metadataUrl], missing: [] }
  const templates =
    preset.metadata.length === 0 && written.issuer !== undefined
      ? ['.well-known/openid-configuration']
      : preset.metadata
  const urls: string[] = []
  const missing: AddressPart[] = []
  for (const template of templates) {
    if (template.includes('{')) {
      const filled = fillTemplate(template, preset, written)
      if (filled?.text !== undefined) urls.push(filled.text)
      missing.push(...(filled?.missing ?? []))
    } else if (issuer !== undefined && URL.canParse(issuer)) {
      urls.push(belowIssuer(issuer, template))
    }
  }
  return { urls, missing }
}

/** `/.well-known/…` goes between host and path, `.well-known/…` to the end. @see RFC 8414 §3.1 */
function belowIssuer(issuer: string, path: string): string {
  const bare = issuer.replace(/\/+$/, '')
  if (!path.startsWith('/')) return `${bare}/${path}`
  const { origin } = new URL(bare)
  return `${origin}${path}${bare.slice(origin.length)}`
}

function fillTemplate(
  template: string | undefined,
  preset: ConnectionPreset,
  written: WrittenConnection,
): { readonly text?: string; readonly missing: readonly AddressPart[] } | undefined {
  if (template === undefined) return undefined
  const missing: AddressPart[] = []
  const settingOf = (name: string) =>
    written[name as AddressPart] ?? preset.parts?.[name as AddressPart]
  const text = template
    .replaceAll(/\[([^\]]*?\{(\w+)\}[^\]]*)\]/g, (_, inside: string, name: string) =>
      settingOf(name) === undefined ? '' : inside,
    )
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = settingOf(name)
      if (value === undefined) missing.push(name as AddressPart)
      // Hosts and base URLs stand as they are; only a segment of a path is encoded.
      if (name === 'url') return (value ?? '').replace(/\/+$/, '')
      return HOSTS.has(name) ? (value ?? '') : encodeURIComponent(value ?? '')
    })
  return missing.length === 0 ? { text, missing } : { missing }
}

const HOSTS = new Set(['cloud', 'domain', 'environment'])
