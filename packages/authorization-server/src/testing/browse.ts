/** A browser without looks: cookies by path, redirects one at a time. */
export interface StubBrowser {
  readonly jar: Map<string, { readonly value: string; readonly path: string }>
  /** @param host instead of the URL's own: another process for the same issuer */
  request(url: string, init?: RequestInit & { readonly host?: string }): Promise<Response>
  /**
   * Follows redirects until the browser would leave `issuer`, or a page comes. The address of where
   * it would go, or of the page.
   */
  follow(
    url: string,
    init?: RequestInit,
    hosts?: readonly string[],
  ): Promise<{ readonly url: string; readonly response: Response }>
}

/** @param always headers of every request */
export function createStubBrowser(
  issuer: string,
  always: Readonly<Record<string, string>> = {},
): StubBrowser {
  const jar: StubBrowser['jar'] = new Map()

  async function request(url: string, init: RequestInit & { readonly host?: string } = {}) {
    const { pathname, search } = new URL(url)
    const cookie = [...jar]
      .filter(([, { path }]) => pathname === path || pathname.startsWith(dir(path)))
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ')
    const headers = new Headers({ ...always, ...Object.fromEntries(new Headers(init.headers)) })
    if (cookie !== '') headers.set('cookie', cookie)
    const { host = issuer, ...rest } = init
    const target = `${host}${pathname}${search}`
    const response = await fetch(target, { ...rest, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) keep(line)
    return response
  }

  function keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';')
    const at = pair.indexOf('=')
    const value = pair.slice(at + 1)
    const pathAttribute = attributes.find((each) => /^\s*path=/i.test(each))
    const path = pathAttribute?.split('=')[1]?.trim() ?? '/'
    const key = `${pair.slice(0, at)} ${path}`
    if (
      value === '' ||
      attributes.some((each) => /^\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(each))
    )
      jar.delete(key)
    else jar.set(key, { value, path })
  }

  return {
    jar,
    request,
    async follow(start, init, hosts = [issuer]) {
      let url = start
      let response = await request(url, { ...init, host: hosts[0] ?? issuer })
      for (let hop = 1; hop < 12; hop++) {
        const location = response.headers.get('location')
        if (location === null) return { url, response }
        url = new URL(location, url).href
        if (new URL(url).origin !== issuer) return { url, response }
        await response.body?.cancel()
        response = await request(url, { host: hosts[hop % hosts.length] ?? issuer })
      }
      throw new Error('redirected in circles')
    },
  }
}

function dir(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
