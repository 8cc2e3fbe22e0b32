import { html } from 'hono/html'
import { csrfField, heading, layout, type PageFrame, problem } from './layout.ts'

export interface ChangePasswordView {
  readonly csrf: string
  readonly action: string
  readonly username: string
  /** Asked before a sign-in is done, since somebody else set the password. */
  readonly forced: boolean
  readonly leastCharacters: number
  readonly problem?: string
  /** Where a click on cancel leads. */
  readonly backHref?: string
}

/** Current and new password. @see NIST SP 800-63B §3.1.1.2: no composition rules, pasting allowed */
export function changePasswordPage(frame: PageFrame, view: ChangePasswordView): string {
  const { words: t } = frame
  const title = t('password.title')
  const invalid = view.problem === undefined ? '' : html` aria-invalid="true"`
  return layout(frame, {
    title,
    body: html`${heading(title, view.forced ? t('password.forced') : undefined)}
${problem(t, view.problem)}
<form method="post" action="${view.action}">
${csrfField(view.csrf)}
<input type="text" name="username" value="${view.username}" autocomplete="username" hidden>
${
  view.forced
    ? ''
    : html`<div class="field"><label for="current">${t('password.current')}</label>
<input type="password" id="current" name="current" autocomplete="current-password" maxlength="1024" required></div>`
}
<div class="field"><label for="new">${t('password.new')}</label>
<input type="password" id="new" name="new" autocomplete="new-password" maxlength="1024" required aria-describedby="new-hint"${invalid}>
<p class="hint" id="new-hint">${t('password.hint', { count: view.leastCharacters })}</p></div>
<div class="field"><label for="repeat">${t('password.repeat')}</label>
<input type="password" id="repeat" name="repeat" autocomplete="new-password" maxlength="1024" required${invalid}></div>
<button class="full">${t('password.submit')}</button>
</form>
${view.backHref === undefined ? '' : html`<p><a href="${view.backHref}">${t('common.back')}</a></p>`}`,
  })
}
