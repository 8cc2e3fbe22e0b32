import { html } from 'hono/html'
import { csrfField, heading, layout, type PageFrame, problem } from './layout.ts'

export interface SecondFactorView {
  readonly csrf: string
  readonly action: string
  /** Begins the sign-in anew. */
  readonly restartAction: string
  readonly userName: string
  readonly problem?: string
}

/** The code of an authenticator app. */
export function secondFactorPage(frame: PageFrame, view: SecondFactorView): string {
  const { words: t } = frame
  const title = t('factor.title')
  const invalid = view.problem === undefined ? html` autofocus` : html` aria-invalid="true"`
  return layout(frame, {
    title,
    body: html`${heading(title, t('factor.lead', { name: view.userName }))}
${problem(t, view.problem)}
<form method="post" action="${view.action}">
${csrfField(view.csrf)}
<div class="field code"><label for="code">${t('factor.code')}</label>
<input type="text" id="code" name="code" autocomplete="one-time-code" maxlength="40" aria-describedby="code-hint" required${invalid}>
<p class="hint" id="code-hint">${t('factor.recovery')}</p></div>
<button class="full">${t('factor.submit')}</button>
</form>
<form method="post" action="${view.restartAction}">${csrfField(view.csrf)}<div><button class="plain">${t('factor.restart')}</button></div></form>`,
  })
}
