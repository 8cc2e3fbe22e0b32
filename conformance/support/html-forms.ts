/** A form of a page, as a browser would send it when nothing was typed. */
export interface HtmlForm {
  /** Absolute. */
  readonly action: string
  readonly method: 'GET' | 'POST'
  readonly fields: readonly HtmlField[]
  readonly buttons: readonly HtmlButton[]
}

export interface HtmlField {
  readonly name: string
  /** `text`, `password`, `hidden`, `checkbox`, `radio`, `select` … */
  readonly type: string
  readonly value: string
  /** Whether it is sent when nothing was changed: of a checkbox or radio that it is checked. */
  readonly isOn: boolean
  readonly isDisabled: boolean
}

export interface HtmlButton {
  readonly name: string | undefined
  readonly value: string
  readonly text: string
  /** Where this button sends the form, if elsewhere. */
  readonly action: string | undefined
}

interface Tag {
  readonly name: string
  readonly closes: boolean
  readonly attributes: ReadonlyMap<string, string>
  readonly start: number
  readonly end: number
}

const TAG =
  /<!--[\s\S]*?-->|<(\/?)([a-z][a-z0-9-]*)((?:\s+[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?)*)\s*\/?>/gi
const ATTRIBUTE = /([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?/g
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
}

/**
 * The forms of a page of ours. It reads the markup that the pages write, not all of HTML: no
 * implied end tags inside a form, every attribute well formed.
 */
export function readForms(html: string, pageUrl: string): readonly HtmlForm[] {
  const tags = readTags(html)
  const forms: HtmlForm[] = []
  for (const [index, tag] of tags.entries()) {
    if (tag.name !== 'form' || tag.closes) continue
    const end = tags.findIndex((other, at) => at > index && other.name === 'form' && other.closes)
    if (end < 0) throw new Error(`a form of ${new URL(pageUrl).pathname} is not closed`)
    const id = tag.attributes.get('id')
    // A control may stand elsewhere and name its form.
    const foreign = tags.filter(
      (other, at) => (at < index || at > end) && id && other.attributes.get('form') === id,
    )
    const own = tags.slice(index + 1, end).filter((other) => !other.attributes.has('form'))
    const inside = [...own, ...foreign]
    forms.push({
      action: new URL(tag.attributes.get('action') ?? pageUrl, pageUrl).href,
      method: tag.attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
      fields: readFields(inside, tags, html),
      buttons: inside
        .filter((other) => isSubmit(other))
        .map((button) => ({
          name: button.attributes.get('name'),
          value: button.attributes.get('value') ?? '',
          text: button.name === 'button' ? textAfter(button, tags, html) : '',
          action: button.attributes.get('formaction')
            ? new URL(button.attributes.get('formaction')!, pageUrl).href
            : undefined,
        })),
    })
  }
  return forms
}

/** Where the links of a page lead, absolute, with their text. */
export function readLinks(
  html: string,
  pageUrl: string,
): readonly { readonly href: string; readonly text: string }[] {
  const tags = readTags(html)
  return tags
    .filter(({ name, closes, attributes }) => name === 'a' && !closes && attributes.has('href'))
    .map((tag) => ({
      href: new URL(tag.attributes.get('href')!, pageUrl).href,
      text: textAfter(tag, tags, html),
    }))
}

/** The text of a page as somebody reads it: no markup, one space between words. */
export function readText(html: string): string {
  return unescapeHtml(
    html
      .replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ')
      .replace(/<!--[\s\S]*?-->/g, ' ')
      .replace(/<[^>]*>/g, ' '),
  )
    .replace(/\s+/g, ' ')
    .trim()
}

function readTags(html: string): readonly Tag[] {
  const tags: Tag[] = []
  for (const match of html.matchAll(TAG)) {
    if (match[2] === undefined) continue
    const attributes = new Map<string, string>()
    for (const [, name, double, single, bare] of (match[3] ?? '').matchAll(ATTRIBUTE)) {
      attributes.set(name!.toLowerCase(), unescapeHtml(double ?? single ?? bare ?? ''))
    }
    tags.push({
      name: match[2].toLowerCase(),
      closes: match[1] === '/',
      attributes,
      start: match.index,
      end: match.index + match[0].length,
    })
  }
  return tags
}

function readFields(inside: readonly Tag[], tags: readonly Tag[], html: string): HtmlField[] {
  const fields: HtmlField[] = []
  for (const tag of inside) {
    const name = tag.attributes.get('name')
    if (tag.closes || name === undefined || name === '') continue
    const isDisabled = tag.attributes.has('disabled')
    if (tag.name === 'input' && !isSubmit(tag)) {
      const type = (tag.attributes.get('type') ?? 'text').toLowerCase()
      const canBeOff = type === 'checkbox' || type === 'radio'
      fields.push({
        name,
        type,
        value: tag.attributes.get('value') ?? (canBeOff ? 'on' : ''),
        isOn: !canBeOff || tag.attributes.has('checked'),
        isDisabled,
      })
    } else if (tag.name === 'textarea') {
      fields.push({
        name,
        type: 'textarea',
        value: textAfter(tag, tags, html),
        isOn: true,
        isDisabled,
      })
    } else if (tag.name === 'select') {
      const at = tags.indexOf(tag)
      const end = tags.findIndex((other, i) => i > at && other.name === 'select' && other.closes)
      const options = tags
        .slice(at, end)
        .filter((other) => other.name === 'option' && !other.closes)
      const chosen = options.find((option) => option.attributes.has('selected')) ?? options[0]
      for (const option of options) {
        const value = option.attributes.get('value') ?? textAfter(option, tags, html)
        fields.push({ name, type: 'select', value, isOn: option === chosen, isDisabled })
      }
    }
  }
  return fields
}

function isSubmit({ name, closes, attributes }: Tag): boolean {
  if (closes) return false
  const type = attributes.get('type')?.toLowerCase()
  if (name === 'button') return type === undefined || type === 'submit'
  return name === 'input' && (type === 'submit' || type === 'image')
}

/** What stands between a tag and its end tag. */
function textAfter(tag: Tag, tags: readonly Tag[], html: string): string {
  const end = tags.find(
    (other) => other.start >= tag.end && other.name === tag.name && other.closes,
  )
  return readText(html.slice(tag.end, end?.start ?? tag.end))
}

/** Resolves the entities that pages are written with. */
export function unescapeHtml(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#[0-9]+|[a-z]+);/gi, (whole, name: string) => {
    if (name.startsWith('#')) {
      const hex = name[1] === 'x' || name[1] === 'X'
      return String.fromCodePoint(Number.parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10))
    }
    return ENTITIES[name.toLowerCase()] ?? whole
  })
}
