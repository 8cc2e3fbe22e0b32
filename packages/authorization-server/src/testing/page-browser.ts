import { createStubBrowser, type StubBrowser } from './browse.ts'

/** A page as a browser without script and style sees it. */
export interface SeenPage {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly html: string
  readonly title: string
}

/** A person at a browser: opens pages, fills in forms, follows redirects and refreshes. */
export interface PageBrowser {
  readonly browser: StubBrowser
  page(): SeenPage
  /** Where an app was reached, which is not asked. */
  left(): URL | undefined
  open(url: string): Promise<void>
  /**
   * Sends the form that has a button of this text, with what its fields hold and `fields` instead;
   * `undefined` leaves a field out.
   */
  press(
    button: string,
    fields?: Readonly<Record<string, string | readonly string[] | undefined>>,
  ): Promise<void>
  /** What a page without its form would send: the attack. */
  post(path: string, fields: Readonly<Record<string, string>>): Promise<void>
}

export function createPageBrowser(
  issuer: string,
  always: Readonly<Record<string, string>> = {},
): PageBrowser {
  const browser = createStubBrowser(issuer, always)
  let seen: SeenPage | undefined
  let left: URL | undefined

  async function go(url: string, init: RequestInit = {}): Promise<void> {
    left = undefined
    let { url: at, response } = await browser.follow(url, init)
    for (let refreshes = 0; ; refreshes += 1) {
      if (new URL(at).origin !== issuer) {
        left = new URL(at)
        return
      }
      const html = await response.text()
      const title = /<title>(.*?)<\/title>/.exec(html)?.[1] ?? ''
      seen = { url: at, status: response.status, headers: response.headers, html, title }
      const refresh = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(html)?.[1]
      if (refresh === undefined) return
      if (refreshes > 5) throw new Error('refreshed in circles')
      const next = await browser.follow(new URL(unescapeHtml(refresh), at).href)
      at = next.url
      response = next.response
    }
  }

  function page(): SeenPage {
    if (seen === undefined) throw new Error('no page was opened')
    return seen
  }

  const post: PageBrowser['post'] = (path, fields) =>
    go(`${issuer}${path}`, { method: 'POST', body: new URLSearchParams(fields) })

  return {
    browser,
    page,
    left: () => left,
    open: (url) => go(new URL(url, issuer).href),
    post,
    async press(button, fields = {}) {
      const { html, url } = page()
      const form = formsOf(html).find(({ buttons }) => buttons.some(({ text }) => text === button))
      if (form === undefined) throw new Error(`no button \`${button}\` on: ${html}`)
      const pressed = form.buttons.find(({ text }) => text === button)
      const body = new URLSearchParams(form.fields.filter(([name]) => !(name in fields)) as never)
      for (const [name, value] of Object.entries(fields)) {
        if (value === undefined) continue
        for (const each of Array.isArray(value) ? value : [value]) body.append(name, String(each))
      }
      if (pressed?.name !== undefined) body.append(pressed.name, pressed.value ?? '')
      const action = pressed?.action ?? form.action
      await go(new URL(action, url).href, { method: 'POST', body })
    },
  }
}

function formsOf(html: string) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes, inner]) => ({
    action: attribute(attributes ?? '', 'action') ?? '',
    fields: [...(inner ?? '').matchAll(/<input\b([^>]*)>/g)].flatMap(([, input = '']) => {
      const name = attribute(input, 'name')
      const isOff = /type="(checkbox|radio)"/.test(input) && !/\bchecked\b/.test(input)
      return name === undefined || isOff ? [] : [[name, attribute(input, 'value') ?? ''] as const]
    }),
    buttons: [...(inner ?? '').matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/g)].map(
      ([, attrs = '', content = '']) => ({
        text: unescapeHtml((/<b>(.*?)<\/b>/.exec(content)?.[1] ?? content).replace(/<[^>]*>/g, '')),
        name: attribute(attrs, 'name'),
        value: attribute(attrs, 'value'),
        action: attribute(attrs, 'formaction'),
      }),
    ),
  }))
}

function attribute(text: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1]
  return value === undefined ? undefined : unescapeHtml(value)
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
