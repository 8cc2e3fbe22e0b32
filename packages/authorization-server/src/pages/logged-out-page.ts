import { html } from 'hono/html'
import { csrfField, heading, layout, type PageFrame } from './layout.ts'

export function loggedOutPage(
  frame: PageFrame,
  view: { readonly signInHref?: string } = {},
): string {
  const { words: t } = frame
  const title = t('loggedOut.title')
  return layout(frame, {
    title,
    body: html`${heading(title, t('loggedOut.lead'))}
${view.signInHref === undefined ? '' : html`<p><a class="button second full" href="${view.signInHref}">${t('loggedOut.again')}</a></p>`}`,
  })
}

export interface LogOutView {
  readonly action: string
  /** Who asks, if the request says so truly. */
  readonly appName?: string
  /** Hidden fields: ours, or the engine's `xsrf`. */
  readonly fields: Readonly<Record<string, string>>
  /** Name and value of the button that means yes. */
  readonly yes?: readonly [name: string, value: string]
  /** Where staying leads; without it a button without a value sends the form. */
  readonly stayHref?: string
}

/** Asks before a sign-out that a link began. @see OpenID Connect RP-Initiated Logout 1.0 §2 */
export function logOutPage(frame: PageFrame, view: LogOutView): string {
  const { words: t, theme } = frame
  const title = t('logOut.title')
  const { appName, fields, yes } = view
  return layout(frame, {
    title,
    body: html`${heading(
      title,
      appName === undefined
        ? t('logOut.leadNoApp', { server: theme.name })
        : t('logOut.lead', { app: appName, server: theme.name }),
    )}
<form method="post" action="${view.action}">
${Object.entries(fields).map(([name, value]) =>
  name === 'csrf' ? csrfField(value) : html`<input type="hidden" name="${name}" value="${value}">`,
)}
<button class="full"${yes === undefined ? '' : html` name="${yes[0]}" value="${yes[1]}"`}>${t('logOut.yes')}</button>
${view.stayHref === undefined ? html`<button class="full second">${t('logOut.no')}</button>` : html`<a class="button second full" href="${view.stayHref}">${t('logOut.no')}</a>`}
</form>`,
  })
}
