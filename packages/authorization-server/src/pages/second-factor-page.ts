import { html } from 'hono/html'
import { csrfField, heading, layout, type PageFrame, problem } from './layout.ts'

export interface SecondFactorView {
  readonly csrf: string
  readonly action: string
  /** Begins the sign-in anew. */
  readonly restartAction: string
  readonly userName: string
  /** Without an authenticator app the field takes recovery codes only. */
  readonly hasTotp: boolean
  /** Where who has a passkey goes on. */
  readonly passkeyAction?: string
  readonly problem?: string
}

/** The code of an authenticator app, a recovery code, or the way to a passkey. */
export function secondFactorPage(frame: PageFrame, view: SecondFactorView): string {
  const { words: t } = frame
  const title = t('factor.title')
  const { hasTotp, passkeyAction, userName: name } = view
  const lead = hasTotp ? t('factor.lead', { name }) : t('factor.passkeyLead', { name })
  const focus = view.problem === undefined ? html` autofocus` : ''
  const invalid = view.problem === undefined ? '' : html` aria-invalid="true"`
  return layout(frame, {
    title,
    body: html`${heading(title, lead)}
${problem(t, view.problem)}
${
  passkeyAction === undefined
    ? ''
    : html`<form method="post" action="${passkeyAction}">${csrfField(view.csrf)}<button class="full"${focus}>${t('passkey.submit')}</button></form>
<p class="or">${t('signIn.or')}</p>`
}
<form method="post" action="${view.action}">
${csrfField(view.csrf)}
<div class="field code"><label for="code">${t(hasTotp ? 'factor.code' : 'factor.recoveryCode')}</label>
<input type="text" id="code" name="code" autocomplete="one-time-code" maxlength="40"${hasTotp ? html` aria-describedby="code-hint"` : ''} required${invalid}${passkeyAction === undefined ? focus : ''}>
${hasTotp ? html`<p class="hint" id="code-hint">${t('factor.recovery')}</p>` : ''}</div>
<button class="${passkeyAction === undefined ? 'full' : 'second full'}">${t('factor.submit')}</button>
</form>
<form method="post" action="${view.restartAction}">${csrfField(view.csrf)}<div><button class="plain">${t('factor.restart')}</button></div></form>`,
  })
}
