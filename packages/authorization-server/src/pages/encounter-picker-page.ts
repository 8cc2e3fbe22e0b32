import type { DirectoryPage, EncounterSummary, PatientSummary } from '@scopegate/oauth-model'
import { html } from 'hono/html'
import {
  CHEVRON,
  csrfField,
  type Html,
  heading,
  layout,
  type PageFrame,
  problem,
} from './layout.ts'
import type { Words } from './texts/words.ts'
import { userBar } from './user-bar.ts'

export interface EncounterPickerView {
  readonly csrf: string
  readonly base: string
  readonly userName: string
  readonly patient: PatientSummary
  readonly page: DirectoryPage<EncounterSummary>
  readonly later: boolean
  /** Whether the patient was chosen here and can be changed. */
  readonly canChangePatient: boolean
  readonly problem?: string
}

/** Which visit it is about, newest first; none is an answer too. */
export function encounterPickerPage(frame: PageFrame, view: EncounterPickerView): string {
  const { words: t } = frame
  const { csrf, base, page, patient, later } = view
  const title = t('encounters.title')
  const turn = (cursor: string, label: string) =>
    html`<form method="post" action="${base}/encounters">${csrfField(csrf)}<input type="hidden" name="cursor" value="${cursor}"><button class="second">${label}</button></form>`
  return layout(frame, {
    title,
    width: 'wide',
    body: html`${heading(title, t('encounters.lead', { patient: patient.name }))}
${problem(t, view.problem)}
<section class="stack" aria-label="${title}">
${
  page.items.length === 0
    ? html`<p class="empty"><b>${t('encounters.none')}</b></p>`
    : html`<form method="post" action="${base}/encounter">${csrfField(csrf)}<ul class="choices">
${page.items.map((encounter) => choice(t, encounter))}
</ul></form>`
}
${page.next === undefined && !later ? '' : html`<div class="row">${later ? turn('', t('encounters.first')) : ''}${page.next === undefined ? '' : turn(page.next, t('encounters.next'))}</div>`}
<div class="between"><form method="post" action="${base}/encounter">${csrfField(csrf)}<button class="second" name="encounter" value="">${t('encounters.without')}</button></form>
${view.canChangePatient ? html`<form method="post" action="${base}/change-patient">${csrfField(csrf)}<button class="plain">${t('encounters.change')}</button></form>` : ''}</div>
</section>
${userBar(frame, view)}`,
  })
}

function choice(t: Words, encounter: EncounterSummary): Html {
  const when = encounterTime(t, encounter)
  return html`<li><button class="choice" name="encounter" value="${encounter.id}"><b>${encounter.title}</b><span class="facts">${when === '' ? '' : html`<span>${when}</span> `}<span>${t.of('status', encounter.status)}</span></span>${CHEVRON}</button></li>`
}

export function encounterTime(t: Words, { start, end }: EncounterSummary): string {
  if (start === undefined) return ''
  const [from, to] = [t.date(start), end === undefined ? undefined : t.date(end)]
  if (to === undefined) return t('encounters.since', { start: from })
  return from === to ? from : t('encounters.range', { start: from, end: to })
}
