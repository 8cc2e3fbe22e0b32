import { type HtmlForm, readForms, readLinks, readText, unescapeHtml } from './html-forms.ts'

/** A page of the server that a browser would show. */
export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly html: string
  readonly forms: readonly HtmlForm[]
  readonly links: readonly { readonly href: string; readonly text: string }[]
  readonly text: string
}

/** Where a browser went when the server sent it elsewhere: to an app. */
export interface Away {
  readonly away: URL
  /** The status of the redirect. */
  readonly status: number
  readonly headers: Headers
}

export interface Browser {
  /** Goes to an address and follows redirects as long as they stay on the server. */
  open(url: string, init?: RequestInit): Promise<Page | Away>
  /**
   * Sends a form as it stands, with these values instead of the page's own: a list sets which
   * boxes are ticked, `undefined` leaves a field out.
   */
  submit(form: HtmlForm, values?: FormValues, button?: ButtonChoice): Promise<Page | Away>
  readonly cookies: CookieJar
  /** Every response since it was made, newest last. */
  readonly seen: readonly {
    readonly url: string
    readonly method: string
    readonly response: Response
  }[]
}

export type FormValues = Readonly<Record<string, string | readonly string[] | undefined>>
type ButtonChoice = {
  readonly name: string | undefined
  readonly value: string
  readonly action?: string | undefined
}

export interface CookieJar {
  header(url: string): string | undefined
  keep(response: Response, url: string): void
  list(): readonly Cookie[]
  set(name: string, value: string, path?: string): void
  clear(): void
}

export interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
  /** Lower-case names of the attributes. */
  readonly attributes: ReadonlyMap<string, string>
}

export type Send = (url: string, init: RequestInit) => Promise<Response>

const MAX_REDIRECTS = 20

/** A browser without scripts: cookies, redirects and forms. `send` may lead requests elsewhere. */
export function createBrowser(origin: string, send: Send = fetch): Browser {
  const cookies = createCookieJar()
  const seen: { url: string; method: string; response: Response }[] = []

  async function open(url: string, init: RequestInit = {}): Promise<Page | Away> {
    let [address, request] = [url, init]
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const headers = new Headers(request.headers)
      if (!headers.has('accept')) headers.set('accept', 'text/html,application/xhtml+xml,*/*;q=0.8')
      const cookie = cookies.header(address)
      if (cookie && !headers.has('cookie')) headers.set('cookie', cookie)
      const response = await send(address, { ...request, headers, redirect: 'manual' })
      seen.push({ url: address, method: request.method ?? 'GET', response })
      cookies.keep(response, address)
      const location = response.headers.get('location')
      const isRedirect = response.status >= 300 && response.status <= 399 && location !== null
      const page = isRedirect ? undefined : await pageOf(address, response)
      const next = isRedirect ? location : refreshOf(page?.html ?? '')
      if (page !== undefined && next === undefined) return page
      if (isRedirect) await response.body?.cancel()
      const target = new URL(next ?? '', address)
      if (target.origin !== origin) {
        return { away: target, status: response.status, headers: response.headers }
      }
      address = target.href
      // Only 307 and 308 repeat the method and the body.
      if (response.status < 307 || page !== undefined) request = {}
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects from ${new URL(url).pathname}`)
  }

  return {
    open,
    cookies,
    seen,
    submit(form, values = {}, button) {
      const body = formBody(form, values, button)
      const action = button?.action ?? form.action
      if (form.method === 'POST') {
        const headers = { 'content-type': 'application/x-www-form-urlencoded', origin }
        return open(action, { method: 'POST', headers, body: body.toString() })
      }
      const url = new URL(action)
      url.search = body.toString()
      return open(url.href)
    },
  }
}

export function isAway(result: Page | Away): result is Away {
  return 'away' in result
}

/** What a form sends. @throws when a value names no field of the form. */
export function formBody(
  form: HtmlForm,
  values: FormValues,
  button?: ButtonChoice,
): URLSearchParams {
  const body = new URLSearchParams()
  const names = new Set(form.fields.map(({ name }) => name))
  for (const name of Object.keys(values)) {
    if (!names.has(name)) throw new Error(`the form has no field \`${name}\`, only ${[...names]}`)
  }
  const written = new Set<string>()
  for (const field of form.fields) {
    if (field.isDisabled) continue
    if (!(field.name in values)) {
      if (field.isOn) body.append(field.name, field.value)
      continue
    }
    const value = values[field.name]
    if (written.has(field.name) || value === undefined) continue
    written.add(field.name)
    for (const each of typeof value === 'string' ? [value] : value) body.append(field.name, each)
  }
  const pressed = button ?? form.buttons.at(0)
  if (pressed?.name !== undefined) body.append(pressed.name, pressed.value)
  return body
}

/** Where a page goes on by itself at once. */
function refreshOf(html: string): string | undefined {
  const content = /<meta http-equiv="refresh" content="0; ?url=([^"]*)"/i.exec(html)?.[1]
  return content === undefined ? undefined : unescapeHtml(content)
}

async function pageOf(url: string, response: Response): Promise<Page> {
  const html = await response.text()
  const isHtml = /^text\/html\b/.test(response.headers.get('content-type') ?? '')
  return {
    url,
    status: response.status,
    headers: response.headers,
    html,
    forms: isHtml ? readForms(html, url) : [],
    links: isHtml ? readLinks(html, url) : [],
    text: isHtml ? readText(html) : html,
  }
}

function createCookieJar(): CookieJar {
  const jar = new Map<string, Cookie>()
  const keyOf = (name: string, path: string) => `${name};${path}`
  return {
    header(url) {
      const { pathname } = new URL(url)
      const sent = [...jar.values()].filter(
        ({ path }) =>
          pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
      )
      return sent.length === 0
        ? undefined
        : sent.map(({ name, value }) => `${name}=${value}`).join('; ')
    },
    keep(response, url) {
      for (const line of response.headers.getSetCookie()) {
        const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
        const name = pair.slice(0, pair.indexOf('='))
        const value = pair.slice(pair.indexOf('=') + 1)
        const attributes = new Map(
          rest.map((part) => {
            const at = part.indexOf('=')
            return at < 0
              ? ([part.toLowerCase(), ''] as const)
              : ([part.slice(0, at).toLowerCase(), part.slice(at + 1)] as const)
          }),
        )
        const path = attributes.get('path') ?? new URL(url).pathname.replace(/\/[^/]*$/, '') ?? '/'
        const expires = attributes.get('expires')
        const isGone =
          attributes.get('max-age') === '0' ||
          (expires !== undefined && Date.parse(expires) <= Date.now())
        if (isGone) jar.delete(keyOf(name, path))
        else jar.set(keyOf(name, path), { name, value, path, attributes })
      }
    },
    list: () => [...jar.values()],
    set: (name, value, path = '/') =>
      void jar.set(keyOf(name, path), { name, value, path, attributes: new Map() }),
    clear: () => jar.clear(),
  }
}
