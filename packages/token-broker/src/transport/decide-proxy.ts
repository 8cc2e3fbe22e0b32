/** How a request leaves: through which proxy, and who says so. */
export interface ProxyDecision {
  /** With its password, if it has one. Missing: directly. */
  readonly url?: string
  /** For operators, without the password: `http://proxy:3128 (HTTPS_PROXY)`, `none (NO_PROXY)`. */
  readonly shown: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Which proxy a request takes. `environment` reads HTTPS_PROXY (HTTP_PROXY for plain HTTP),
 * ALL_PROXY and NO_PROXY, in lower case too, as curl does; lower case wins. NO_PROXY lists hosts,
 * which mean what is below them as well, with or without a port, and `*`.
 */
export function decideProxy(target: URL, setting: string, environment: Environment): ProxyDecision {
  if (setting === 'none') return { shown: 'none' }
  if (setting !== 'environment') return { url: setting, shown: withoutPassword(setting) }
  const noProxy = settingOf(environment, 'no_proxy')
  const names =
    target.protocol === 'https:' ? ['https_proxy', 'all_proxy'] : ['http_proxy', 'all_proxy']
  const found = names.find((name) => settingOf(environment, name) !== undefined)
  if (found === undefined) return { shown: 'none' }
  if (noProxy !== undefined && isExcepted(target, noProxy)) return { shown: 'none (NO_PROXY)' }
  const written = settingOf(environment, found) ?? ''
  // `proxy:3128` is usual there.
  const url = written.includes('://') ? written : `http://${written}`
  return { url, shown: `${withoutPassword(url)} (${found.toUpperCase()})` }
}

function settingOf(environment: Environment, name: string): string | undefined {
  const value = environment[name] || environment[name.toUpperCase()]
  return value === undefined || value.trim() === '' ? undefined : value.trim()
}

function isExcepted(target: URL, noProxy: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const [, name = entry, only] = /^(.*?)(?::(\d+))?$/.exec(bracketless(entry)) ?? []
      if (only !== undefined && only !== port) return false
      const bare = name.replace(/^\*?\./, '')
      return host === bare || host.endsWith(`.${bare}`)
    })
}

/** An IPv6 address without port has colons of its own. */
function bracketless(entry: string): string {
  const [, inside, port = ''] = /^\[(.*)\](:\d+)?$/.exec(entry) ?? []
  return inside === undefined ? entry : `${inside}${port}`
}

function withoutPassword(text: string): string {
  const url = URL.parse(text)
  if (url === null) return 'unreadable'
  return `${url.protocol}//${url.host}`
}
