/** What an operator may change about the look of the pages. */
export interface Theme {
  /** What the pages call this place, such as the name of the hospital. */
  readonly name: string
  /** An SVG or PNG as a `data:` URI, or an `https` URL, whose origin pages then load images from. */
  readonly logo?: string
  /** Colour of buttons and links, `#rrggbb`; shifted where the contrast would be too small. */
  readonly colour?: string
  /** Further custom properties of the stylesheet, such as `{'--radius': '4px'}`. */
  readonly properties?: Readonly<Record<string, string>>
}

export const DEFAULT_THEME: Theme = { name: 'Scopegate' }

/** The colour for each scheme that text of the page's own background colour can be read on. */
export interface Accents {
  readonly light: string
  readonly dark: string
}

/** WCAG 2.2 AA asks for 4.5 : 1; a little more, since accents also stand on tinted grounds. */
const LEAST_CONTRAST = 5.2

/**
 * Darkens `colour` until white text is readable on it, and lightens it until near-black text is.
 * @throws TypeError if it is not `#rrggbb`
 */
export function accentsOf(colour: string): Accents {
  return {
    light: shift(colour, [0, 0, 0], '#ffffff'),
    dark: shift(colour, [255, 255, 255], '#12191d'),
  }
}

/** The contrast of two `#rrggbb` colours. @see WCAG 2.2, contrast ratio */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(rgb(one)), luminance(rgb(other))].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

/** The rules that put a theme into the stylesheet; values that could end a declaration are refused. */
export function themeRules(theme: Theme): string {
  const accents = theme.colour === undefined ? undefined : accentsOf(theme.colour)
  const own = Object.entries(theme.properties ?? {}).map(([name, value]) => {
    if (!/^--[a-z][a-z0-9-]*$/.test(name) || !/^[^;{}<>\\]*$/.test(value)) {
      throw new TypeError(
        `theme property \`${name}\`: expected a name such as \`--radius\` and a value without \`;{}<>\\\``,
      )
    }
    return `${name}:${value};`
  })
  const light = `${accents ? `--accent:${accents.light};` : ''}${own.join('')}`
  if (light === '') return ''
  const dark = accents
    ? `@media(prefers-color-scheme:dark){:root{--accent:${accents.dark};${own.join('')}}}`
    : ''
  return `:root{${light}}${dark}`
}

type Rgb = readonly [number, number, number]

function shift(colour: string, toward: Rgb, ground: string): string {
  const start = rgb(colour)
  for (let step = 0; step <= 20; step += 1) {
    const mixed = start.map((part, i) => Math.round(part + ((toward[i]! - part) * step) / 20))
    const hex = `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`
    if (contrast(hex, ground) >= LEAST_CONTRAST) return hex
  }
  return `#${toward.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function rgb(colour: string): Rgb {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)
  if (match === null) throw new TypeError(`theme colour \`${colour}\`: write \`#rrggbb\``)
  return [
    Number.parseInt(match[1]!, 16),
    Number.parseInt(match[2]!, 16),
    Number.parseInt(match[3]!, 16),
  ]
}

function luminance(parts: Rgb): number {
  const [r, g, b] = parts.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as unknown as Rgb
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
