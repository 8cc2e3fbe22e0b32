import { type FetchedJson, fetchJson } from './fetch-json.ts'
import type { NetworkPolicy } from './network-policy.ts'

export interface DiscoveryOptions {
  readonly issuer: string
  /** Other names of the issuer, which its metadata may state as well. */
  readonly aliases?: readonly string[]
  /** What this server reaches the issuer by, in place of the issuer itself. */
  readonly backchannelUrl?: string
  /** Where the metadata is. Default: below the issuer. */
  readonly url?: string
  readonly network: NetworkPolicy
  readonly fetch?: (url: string) => Promise<FetchedJson>
}

/** An address of the issuer, as the public knows it and as it is reached from here. */
export interface IssuerAddress {
  readonly named: string
  readonly reached: string
}

export interface Discovery {
  /** The `jwks_uri` or `introspection_endpoint`, asked for now. @throws {Error} for the operator */
  find(member: 'jwks_uri' | 'introspection_endpoint'): Promise<IssuerAddress>
  /** The same address from here. */
  reach(address: string): string
}

/**
 * The metadata of an issuer, which must state the very issuer that is configured.
 *
 * @see OpenID Connect Discovery 1.0 §4; RFC 8414 §3
 */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { issuer, aliases = [], backchannelUrl, network } = options
  const get = options.fetch ?? ((url) => fetchJson(url, network, DOCUMENT_LIMITS))
  const base = (backchannelUrl ?? issuer).replace(/\/$/, '')

  function reach(address: string): string {
    if (backchannelUrl === undefined) return address
    // Metadata that state another name have their addresses below that one.
    const names = [issuer, ...aliases].map((name) => name.replace(/\/$/, ''))
    const front = names.find((name) => address.startsWith(`${name}/`))
    if (front !== undefined) return `${base}${address.slice(front.length)}`
    const url = new URL(address)
    const isTheirs = names.some((name) => URL.parse(name)?.origin === url.origin)
    return isTheirs ? `${new URL(base).origin}${url.pathname}${url.search}` : address
  }

  return {
    reach,
    async find(member) {
      const address =
        options.url === undefined ? `${base}/.well-known/openid-configuration` : reach(options.url)
      const { value } = await get(address)
      const metadata = (value ?? {}) as Readonly<Record<string, unknown>>
      const accepted = [issuer, ...aliases, ...(backchannelUrl === undefined ? [] : [base])]
      if (!accepted.includes(String(metadata.issuer))) {
        throw new Error(mismatch(address, String(metadata.issuer), issuer))
      }
      const found = metadata[member]
      if (typeof found !== 'string' || !URL.canParse(found)) {
        throw new Error(`\`${address}\` names no \`${member}\``)
      }
      return { named: found, reached: reach(found) }
    },
  }
}

const DOCUMENT_LIMITS = { timeoutMs: 3000, maxBytes: 256 * 1024 }

function mismatch(address: string, stated: string, issuer: string): string {
  const isSlash = stated.replace(/\/$/, '') === issuer.replace(/\/$/, '')
  return `\`${address}\` belongs to issuer \`${stated}\`, configured is \`${issuer}\`: ${
    isSlash
      ? `they differ in the final slash: write \`issuer: ${stated}\``
      : `if tokens say \`${stated}\`, write that as \`issuer\`; if both are names of one issuer, add \`${stated}\` to its \`aliases\`; if only this server reaches it by another name, set \`backchannelUrl\``
  }`
}
