import type { DirectoryPage, PatientSummary } from '@scopegate/oauth-model'
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

export interface PatientPickerView {
  readonly csrf: string
  /** `search`, `choose`, `cancel` and `switch` are sent under it. */
  readonly base: string
  readonly appName: string
  readonly userName: string
  readonly text: string
  readonly page: DirectoryPage<PatientSummary>
  /** Whether `page` is not the first. */
  readonly later: boolean
  readonly problem?: string
}

/**
 * Search and choice of a patient. The text goes by POST, so that no name is in a URL, a history or
 * a log; every choice is a button of one form, reached in order by the keyboard.
 */
export function patientPickerPage(frame: PageFrame, view: PatientPickerView): string {
  const { words: t } = frame
  const { csrf, base, appName, text, page } = view
  const title = t('patients.title')
  return layout(frame, {
    title,
    width: 'wide',
    body: html`${heading(title, t('patients.lead', { app: appName }))}
${problem(t, view.problem)}
<form class="search" method="post" action="${base}/patients" role="search">
${csrfField(csrf)}
<div class="field"><label for="text">${t('patients.search')}</label>
<input type="search" id="text" name="text" value="${text}" autocomplete="off" spellcheck="false" maxlength="200" aria-describedby="text-hint"${view.problem === undefined ? html` autofocus` : ''}></div>
<button>${t('patients.submit')}</button>
<p class="hint" id="text-hint">${t('patients.searchHint')}</p>
</form>
<section class="stack" aria-labelledby="results">
<div class="between"><h2 id="results">${text === '' ? t('patients.results') : t('patients.resultsFor', { text })}</h2>
<p class="quiet small" role="status">${page.items.length === 0 ? t('patients.none') : t.count('patients.count', page.items.length)}</p></div>
${
  page.items.length === 0
    ? html`<p class="empty"><b>${t('patients.none')}</b>${t(text === '' ? 'patients.noneAtAll' : 'patients.noneHint')}</p>`
    : html`<form method="post" action="${base}/patient">${csrfField(csrf)}<ul class="choices">
${page.items.map((patient) => choice(t, patient))}
</ul></form>`
}
${paging(t, view)}
</section>
${userBar(frame, view)}`,
  })
}

function choice(t: Words, patient: PatientSummary): Html {
  return html`<li><button class="choice" name="patient" value="${patient.id}"><b>${patient.name}</b><span class="facts">${patientFacts(t, patient)}</span>${CHEVRON}</button></li>`
}

/** What tells namesakes apart. */
export function patientFacts(t: Words, patient: PatientSummary): readonly Html[] {
  const { birthDate, gender, identifier } = patient
  return [
    birthDate === undefined ? undefined : t('patients.born', { date: t.date(birthDate) }),
    gender === undefined ? undefined : t.of('gender', gender),
    identifier === undefined ? undefined : t('patients.record', { identifier }),
  ]
    .filter((fact) => fact !== undefined)
    .map((fact) => html`<span>${fact}</span> `)
}

function paging(t: Words, { page, later, base, csrf, text }: PatientPickerView): Html | '' {
  if (page.next === undefined && !later) return ''
  const turn = (cursor: string, label: string) =>
    html`<form method="post" action="${base}/patients">${csrfField(csrf)}<input type="hidden" name="text" value="${text}"><input type="hidden" name="cursor" value="${cursor}"><button class="second">${label}</button></form>`
  return html`<div class="row">${later ? turn('', t('patients.first')) : ''}${page.next === undefined ? '' : turn(page.next, t('patients.next'))}</div>`
}
