import { html } from 'hono/html'
import {
  appBadge,
  csrfField,
  type Html,
  heading,
  layout,
  type PageFrame,
  problem,
} from './layout.ts'

export interface LoginView {
  readonly csrf: string
  /** Where the form is sent. */
  readonly action: string
  /** Who the sign-in is for; missing on our own account pages. */
  readonly appName?: string
  /** Signed in already, but asked to prove it. */
  readonly again: boolean
  readonly username: string
  readonly problem?: string
  /** Upstream providers, each with the address that begins the sign-in there. */
  readonly providers: readonly { readonly label: string; readonly href: string }[]
  /** Where a click on cancel is sent. */
  readonly cancelAction?: string
  /** Where who has a passkey goes on. */
  readonly passkeyAction?: string
  /** Whether there are users with passwords of ours. */
  readonly passwords?: boolean
}

/** User name and password, or a provider. @see WCAG 2.2 3.3.8: password managers may fill it */
export function loginPage(frame: PageFrame, view: LoginView): string {
  const { words: t } = frame
  const { csrf, appName, username } = view
  const title = t(view.again ? 'signIn.again' : 'signIn.title')
  const invalid =
    view.problem === undefined ? '' : html` aria-invalid="true" aria-describedby="problem"`
  const startAtPassword = view.problem === undefined && username !== ''
  const startAtUser = view.problem === undefined && username === ''
  return layout(frame, {
    title,
    body: html`${heading(title, view.again ? t('signIn.againLead') : undefined)}
${appName === undefined ? '' : appBadge(appName, t('common.asksAccess'))}
${problem(t, view.problem)}
${
  view.passwords === false
    ? ''
    : html`<form method="post" action="${view.action}">
${csrfField(csrf)}
<div class="field"><label for="username">${t('signIn.user')}</label>
<input type="text" id="username" name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="200" required${invalid}${startAtUser ? html` autofocus` : ''}></div>
<div class="field"><label for="password">${t('signIn.password')}</label>
<input type="password" id="password" name="password" autocomplete="current-password" maxlength="1024" required${invalid}${startAtPassword ? html` autofocus` : ''}></div>
<button class="full">${t('signIn.submit')}</button>
</form>`
}
${otherWays(frame, view)}
${cancelForm(frame, view)}`,
  })
}

function otherWays({ words: t }: PageFrame, view: LoginView): Html | '' {
  const { providers, passwords, passkeyAction } = view
  if (providers.length === 0 && passkeyAction === undefined) return ''
  return html`<div class="stack">${passwords === false ? '' : html`<p class="or">${t('signIn.or')}</p>`}
${
  passkeyAction === undefined
    ? ''
    : html`<form method="post" action="${passkeyAction}">${csrfField(view.csrf)}<button class="second full">${t('passkey.signIn')}</button></form>`
}
${providers.map(
  ({ label, href }) =>
    html`<a class="button second full" href="${href}">${t('signIn.upstream', { provider: label })}</a>`,
)}</div>`
}

function cancelForm(
  { words: t }: PageFrame,
  { cancelAction, csrf, appName }: LoginView,
): Html | '' {
  if (cancelAction === undefined) return ''
  return html`<form method="post" action="${cancelAction}">${csrfField(csrf)}<div><button class="plain">${t('signIn.cancel', { app: appName ?? '' })}</button></div></form>`
}
