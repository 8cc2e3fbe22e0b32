/** The cookies of one browser at one server. */
export interface Cookies {
  /** Takes what an answer to `url` sets. */
  keep(headers: Headers, url: string): void
  /** The header for a request, if there are any for it. */
  header(url: string): { readonly Cookie?: string }
}

export function createCookies(): Cookies {
  const jar = new Map<string, { name: string; value: string; path: string }>()
  return {
    keep(headers, url) {
      for (const line of headers.getSetCookie()) {
        const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
        const at = pair.indexOf('=')
        const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
        const of = (wanted: string) =>
          attributes
            .find((each) => each.toLowerCase().startsWith(`${wanted}=`))
            ?.slice(wanted.length + 1)
        const path = of('path') ?? (new URL(url).pathname.replace(/\/[^/]*$/, '') || '/')
        const expires = of('expires')
        const isGone =
          of('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now())
        const key = `${name};${path}`
        if (isGone) jar.delete(key)
        else jar.set(key, { name, value, path })
      }
    },
    header(url) {
      const { pathname } = new URL(url)
      const sent = [...jar.values()].filter(
        ({ path }) =>
          pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
      )
      if (sent.length === 0) return {}
      return { Cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; ') }
    },
  }
}
