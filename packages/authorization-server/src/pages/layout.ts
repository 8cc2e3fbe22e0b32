import { html, raw } from 'hono/html'
import type { Html, Words } from './texts/words.ts'
import type { Theme } from './theme.ts'

export type { Html } from './texts/words.ts'

/** What every page is drawn with. */
export interface PageFrame {
  readonly words: Words
  readonly theme: Theme
  /** `href` of the stylesheet. */
  readonly stylesheet: string
}

export interface PageParts {
  readonly title: string
  readonly width?: 'middle' | 'wide'
  readonly body: Html
  /** Into the head, such as a refresh. */
  readonly head?: Html
}

/** A whole page. `body` stands on one sheet; the title of the window names page and place. */
export function layout({ words: t, theme, stylesheet }: PageFrame, parts: PageParts): string {
  const { title, width = '', body, head = '' } = parts
  return String(html`<!doctype html>
<html lang="${t.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – ${theme.name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${stylesheet}">${head}
</head>
<body>
<a class="skip" href="#main">${t('common.skip')}</a>
<header class="brand">${theme.logo === undefined ? MARK : html`<img src="${theme.logo}" alt="">`}<span>${theme.name}</span></header>
<main id="main" tabindex="-1">
<div class="sheet ${width}">
${body}
</div>
</main>
<footer class="foot">${t('common.footer', { name: theme.name })}</footer>
</body>
</html>
`)
}

/** A gate with a keyhole of light. */
const MARK = raw(
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true"><path d="M4 21V10a8 8 0 0 1 16 0v11"/><path d="M9 21v-9.5a3 3 0 0 1 6 0V21"/><path d="M2 21h20"/></svg>',
)

/** Points to what is behind a choice. */
export const CHEVRON = raw(
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="m9 5 7 7-7 7"/></svg>',
)

/** A page's heading, and a line under it. */
export function heading(title: string | Html, lead?: string | Html): Html {
  return html`<div class="head"><h1>${title}</h1>${lead === undefined ? '' : html`<p>${lead}</p>`}</div>`
}

/** Says first what is wrong, and takes the focus, so that it is read out. */
export function problem(t: Words, message: string | undefined): Html | '' {
  if (message === undefined) return ''
  return html`<div class="note bad" role="alert" tabindex="-1" autofocus id="problem"><h2>${t('common.problem')}</h2><p>${message}</p></div>`
}

/** Says what was done. */
export function notice(message: string | undefined): Html | '' {
  if (message === undefined) return ''
  return html`<div class="note good" role="status"><p>${message}</p></div>`
}

export function csrfField(token: string): Html {
  return html`<input type="hidden" name="csrf" value="${token}">`
}

/** Who asks, at the head of each step. A client's own picture is never loaded: its first letter stands for it. */
export function appBadge(name: string, line: string | Html): Html {
  return html`<div class="app"><span class="monogram" aria-hidden="true">${initial(name)}</span><div><b>${name}</b><span>${line}</span></div></div>`
}

const GRAPHEMES = new Intl.Segmenter()

function initial(name: string): string {
  const [first] = GRAPHEMES.segment(name.trim())
  return (first?.segment ?? '?').toLocaleUpperCase()
}
