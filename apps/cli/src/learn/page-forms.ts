/** A form of a page of the server, as a browser sends it when nothing was changed. */
export interface PageForm {
  /** Absolute. */
  readonly action: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly buttons: readonly { readonly name: string; readonly value: string }[]
}

const FORM = /<form\b([^>]*)>([\s\S]*?)<\/form>/gi
const CONTROL = /<(input|button)\b([^>]*)>/gi
const ATTRIBUTE = /([a-z-]+)(?:\s*=\s*"([^"]*)")?/gi

/** The forms of a page; reads the markup of this server's own pages, not every HTML. */
export function readPageForms(html: string, pageUrl: string): readonly PageForm[] {
  return [...html.matchAll(FORM)].map(([, attributes = '', inside = '']) => {
    const controls = [...inside.matchAll(CONTROL)].map(([, tag = '', text = '']) => ({
      tag: tag.toLowerCase(),
      attributes: attributesOf(text),
    }))
    const isButton = (each: (typeof controls)[number]) =>
      each.tag === 'button' || each.attributes.get('type') === 'submit'
    return {
      action: new URL(attributesOf(attributes).get('action') ?? pageUrl, pageUrl).href,
      fields: controls
        .filter((each) => !isButton(each) && isSent(each.attributes))
        .map(({ attributes: has }) => [has.get('name')!, has.get('value') ?? 'on'] as const),
      buttons: controls
        .filter((each) => isButton(each) && each.attributes.has('name'))
        .map(({ attributes: has }) => ({ name: has.get('name')!, value: has.get('value') ?? '' })),
    }
  })
}

/** Where a page goes on by itself at once; `undefined` if it stays. */
export function readRefresh(html: string): string | undefined {
  const url = /<meta http-equiv="refresh" content="0; ?url=([^"]*)"/i.exec(html)?.[1]
  return url === undefined ? undefined : unescapeHtml(url)
}

/** `(page: Sign in)`: what is shown of a page; `undefined` for what is none. */
export function readTitle(html: string): string | undefined {
  const title = /<title>([^<]*)<\/title>/i.exec(html)?.[1]
  return title === undefined ? undefined : `(page: ${unescapeHtml(title).trim()})`
}

function isSent(attributes: ReadonlyMap<string, string>): boolean {
  if (!attributes.has('name') || attributes.has('disabled')) return false
  const type = attributes.get('type')
  return (type !== 'checkbox' && type !== 'radio') || attributes.has('checked')
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(ATTRIBUTE)].map(([, name, value]) => [
      name!.toLowerCase(),
      unescapeHtml(value ?? ''),
    ]),
  )
}

function unescapeHtml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
  }
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) =>
    name === undefined
      ? String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal))
      : (named[name] ?? whole),
  )
}
