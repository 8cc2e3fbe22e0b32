import { html } from 'hono/html'
import { csrfField, type Html, heading, layout, type PageFrame, problem } from './layout.ts'
import { PASSKEY_SCRIPT } from './passkey-script.ts'

interface PasskeyForm {
  readonly csrf: string
  readonly action: string
  /** As the browser's API takes it. */
  readonly options: object
  readonly problem?: string
}

/** Asks the browser for a passkey, to sign in. Needs `Pages.scriptHeaders`. */
export function passkeySignInPage(
  frame: PageFrame,
  view: PasskeyForm & { readonly restartAction: string },
): string {
  const { words: t } = frame
  return page(frame, {
    ...{ view, kind: 'get', title: t('passkey.title'), lead: t('passkey.lead') },
    fields: '',
    submit: t('passkey.submit'),
    foot: html`<form method="post" action="${view.restartAction}">${csrfField(view.csrf)}<div><button class="plain">${t('factor.restart')}</button></div></form>`,
  })
}

/** Lets the browser make a passkey. Needs `Pages.scriptHeaders`. */
export function passkeySetupPage(
  frame: PageFrame,
  view: PasskeyForm & { readonly backHref: string },
): string {
  const { words: t } = frame
  return page(frame, {
    ...{ view, kind: 'create', title: t('passkey.addTitle'), lead: t('passkey.addLead') },
    fields: html`<div class="field"><label for="name">${t('passkey.name')}</label>
<input type="text" id="name" name="name" maxlength="100" autocomplete="off" aria-describedby="name-hint" required>
<p class="hint" id="name-hint">${t('passkey.nameHint')}</p></div>
`,
    submit: t('passkey.addSubmit'),
    foot: html`<p><a href="${view.backHref}">${t('common.cancel')}</a></p>`,
  })
}

function page(
  frame: PageFrame,
  parts: {
    readonly view: PasskeyForm
    readonly kind: 'get' | 'create'
    readonly title: string
    readonly lead: string
    readonly fields: Html | ''
    readonly submit: string
    readonly foot: Html
  },
): string {
  const { words: t } = frame
  const { view, kind, title, lead, fields, submit, foot } = parts
  return layout(frame, {
    title,
    head: html`<script src="${PASSKEY_SCRIPT.href}" defer></script>`,
    body: html`${heading(title, lead)}
${problem(t, view.problem)}
<noscript><div class="note bad"><p>${t('passkey.noScript')}</p></div></noscript>
<div role="alert"><div class="note bad" id="passkey-problem" hidden><p>${t('passkey.problem')}</p></div>
<div class="note bad" id="passkey-unsupported" hidden><p>${t('passkey.unsupported')}</p></div></div>
<form method="post" action="${view.action}" data-passkey="${kind}" data-options="${JSON.stringify(view.options)}">
${csrfField(view.csrf)}<input type="hidden" name="response" value="">
${fields}<button class="full">${submit}</button>
</form>
${foot}`,
  })
}
