import { html } from 'hono/html'
import { appBadge, heading, layout, type PageFrame, problem } from './layout.ts'

export interface DeviceCodeView {
  /** The engine's own secret of the form. */
  readonly xsrf: string
  readonly action: string
  readonly userCode?: string
  readonly problem?: string
}

/** Where the code of a device is entered. Posts `xsrf` and `user_code`, as the engine reads them. */
export function deviceCodePage(frame: PageFrame, view: DeviceCodeView): string {
  const { words: t } = frame
  const title = t('device.title')
  const invalid =
    view.problem === undefined
      ? html` autofocus`
      : html` aria-invalid="true" aria-describedby="problem"`
  return layout(frame, {
    title,
    body: html`${heading(title, t('device.lead'))}
${problem(t, view.problem)}
<form method="post" action="${view.action}">
<input type="hidden" name="xsrf" value="${view.xsrf}">
<div class="field code"><label for="user_code">${t('device.code')}</label>
<input type="text" id="user_code" name="user_code" value="${view.userCode ?? ''}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="40" required${invalid}></div>
<button class="full">${t('device.submit')}</button>
</form>`,
  })
}

export interface DeviceConfirmView {
  readonly xsrf: string
  readonly action: string
  readonly appName: string
  /** As the device shows it. */
  readonly userCode: string
}

/** Asks whether the device is the user's own. @see RFC 8628 §5.4 remote phishing */
export function deviceConfirmPage(frame: PageFrame, view: DeviceConfirmView): string {
  const { words: t } = frame
  const title = t('device.confirmTitle')
  return layout(frame, {
    title,
    body: html`${heading(title)}
${appBadge(view.appName, t('device.confirmLead'))}
<p class="usercode">${view.userCode}</p>
<p class="note warn">${t('device.confirmWarning')}</p>
<form method="post" action="${view.action}">
<input type="hidden" name="xsrf" value="${view.xsrf}"><input type="hidden" name="user_code" value="${view.userCode}">
<button class="full" name="confirm" value="yes">${t('device.confirm')}</button>
<button class="full second" name="abort" value="yes">${t('device.abort')}</button>
</form>`,
  })
}

/** The end on this screen; the device goes on by itself. */
export function deviceDonePage(
  frame: PageFrame,
  view: { readonly kind: 'done' | 'aborted'; readonly appName: string },
): string {
  const { words: t } = frame
  const title = t(view.kind === 'done' ? 'device.doneTitle' : 'device.abortedTitle')
  const lead =
    view.kind === 'done' ? t('device.doneLead', { app: view.appName }) : t('device.abortedLead')
  return layout(frame, { title, body: heading(title, lead) })
}
