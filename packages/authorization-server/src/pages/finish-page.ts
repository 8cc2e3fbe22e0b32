import { html } from 'hono/html'
import { heading, layout, type PageFrame } from './layout.ts'

/**
 * The last page of an interaction that had a form: it goes on by itself, and by a link. A redirect
 * instead would end in the app's URL, and Chromium blocks redirects of a form to origins that
 * `form-action` does not name, those that the app makes afterwards included.
 */
export function finishPage(
  frame: PageFrame,
  view: { readonly appName: string; readonly href: string },
): string {
  const { words: t } = frame
  const title = t('finish.title', { app: view.appName })
  return layout(frame, {
    title,
    head: html`
<meta http-equiv="refresh" content="0; url=${view.href}">`,
    body: html`${heading(title, t('finish.lead'))}
<p><a class="button full" href="${view.href}" id="finish">${t('finish.link', { app: view.appName })}</a></p>`,
  })
}
