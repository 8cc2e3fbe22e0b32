import { html } from 'hono/html'
import { heading, layout, type PageFrame } from './layout.ts'

export interface ErrorView {
  /** `expired`: nothing is wrong with the app. `server`: our own failure, told without details. */
  readonly kind: 'request' | 'expired' | 'server'
  /** OAuth's word for it, such as `invalid_request`. */
  readonly code?: string
  readonly whatFailed?: string
  /** What the developer of the app shall do. */
  readonly whatToDo?: string
  readonly correlationId: string
}

/** What failed, for the user first and then for the app's developer. Leads nowhere: no URI of the request is trusted. */
export function errorPage(frame: PageFrame, view: ErrorView): string {
  const { words: t } = frame
  const expired = view.kind === 'expired'
  const title = t(expired ? 'error.expiredTitle' : 'error.title')
  const lead = {
    request: 'error.lead',
    expired: 'error.expiredLead',
    server: 'error.server',
  } as const
  const rows = [
    [t('error.whatFailed'), view.whatFailed],
    [t('error.whatToDo'), view.whatToDo],
    [t('error.code'), view.code && html`<code>${view.code}</code>`],
    [t('error.id'), html`<code>${view.correlationId}</code>`],
  ].filter(([, value]) => value !== undefined && value !== '')
  return layout(frame, {
    title,
    width: 'middle',
    body: html`${heading(title, t(lead[view.kind]))}
<dl class="report">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`,
  })
}
