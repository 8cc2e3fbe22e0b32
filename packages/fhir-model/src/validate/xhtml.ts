const ELEMENTS: ReadonlySet<string> = new Set(
  'a abbr acronym b big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt u ul var'.split(
    ' ',
  ),
)
const ATTRIBUTES: ReadonlySet<string> = new Set(
  'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign value vspace width xmlns xml:id xml:lang xml:space'.split(
    ' ',
  ),
)
const TAG = /<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g
const NEXT = /<|&(?!(?:[A-Za-z][A-Za-z0-9]*|#\d+|#x[0-9a-fA-F]+);)/g
const NAMESPACE = 'http://www.w3.org/1999/xhtml'
/** Schemes that run something, and styles that do or load. White space and escapes are gone then. */
const ACTIVE = /^(?:javascript|vbscript|data:(?!image\/(?:png|gif|jpe?g|webp)[;,]))/i
const ACTIVE_STYLE = /expression\(|javascript:|vbscript:|@import|behaviou?r:|-moz-binding/i

/**
 * What is wrong with a narrative, or `undefined`: well formed, one `<div>` in the XHTML namespace,
 * only the elements and attributes that FHIR allows, nothing active.
 *
 * @see https://hl7.org/fhir/R4/narrative.html#security txt-1
 */
export function xhtmlFault(text: string): string | undefined {
  const start = /^\s*/.exec(text)![0].length
  const open: string[] = []
  let at = start
  let roots = 0
  for (;;) {
    NEXT.lastIndex = at
    const next = NEXT.exec(text)
    if (next === null) break
    if (open.length === 0 && text.slice(at, next.index).trim() !== '')
      return 'text stands outside the <div>'
    at = next.index
    if (next[0] === '&') return 'an `&` is not followed by an entity'
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('--', at + 4)
      if (end < 0 || text[end + 2] !== '>') return 'a comment does not end as it should'
      at = end + 3
      continue
    }
    TAG.lastIndex = at
    const tag = TAG.exec(text)
    if (tag === null) return 'it is not well-formed XHTML'
    at = TAG.lastIndex
    const [, closing, name, attributes, empty] = tag
    if (closing === '/') {
      if (open.pop() !== name) return 'an end tag does not fit its start tag'
      continue
    }
    if (!ELEMENTS.has(name!)) return `the element <${name!.slice(0, 20)}> is not allowed`
    if (open.length === 0) {
      if (++roots > 1 || name !== 'div') return 'one <div> is expected'
      if (!hasNamespace(attributes!)) return `the <div> lacks xmlns="${NAMESPACE}"`
    }
    const fault = attributeFault(attributes!)
    if (fault !== undefined) return fault
    if (empty !== '/') open.push(name!)
  }
  if (open.length > 0 || roots === 0) return 'a <div> is expected, and every tag closed'
  return text.slice(at).trim() === '' ? undefined : 'text stands outside the <div>'
}

function hasNamespace(attributes: string): boolean {
  for (const [, name, double, single] of attributes.matchAll(ATTRIBUTE))
    if (name === 'xmlns') return (double ?? single) === NAMESPACE
  return false
}

function attributeFault(attributes: string): string | undefined {
  if (attributes === '') return undefined
  const seen = new Set<string>()
  for (const [, name, double, single] of attributes.matchAll(ATTRIBUTE)) {
    if (!ATTRIBUTES.has(name!)) return `the attribute ${name!.slice(0, 20)} is not allowed`
    if (seen.has(name!)) return `the attribute ${name} stands twice`
    seen.add(name!)
    if (name !== 'href' && name !== 'src' && name !== 'style') continue
    // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers skip them in schemes.
    const value = decodeEntities(double ?? single ?? '').replace(/[\u0000-\u0020\\]/g, '')
    if (name === 'style' ? ACTIVE_STYLE.test(value) : ACTIVE.test(value))
      return `the attribute ${name} holds active content`
  }
  return undefined
}

function decodeEntities(value: string): string {
  return value.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED.get(name) ?? whole
    const point = Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : ''
  })
}
const NAMED: ReadonlyMap<string, string> = new Map([
  ['colon', ':'],
  ['Tab', '\t'],
  ['NewLine', '\n'],
  ['lpar', '('],
  ['amp', '&'],
])
