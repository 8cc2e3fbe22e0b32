import type { DoctorReport } from '@scopegate/admin-api'
import { escapeHtml } from '@scopegate/http'
import { LANDING_STYLE } from './landing-style.ts'

/** Why there is no report, in words that are safe to show. */
export interface DoctorRefusal {
  readonly text: string
  readonly fix?: string | undefined
  readonly correlationId?: string | undefined
}

const STATES = {
  pass: { mark: '✓', word: 'in order', lead: 'Everything that was looked at is in order.' },
  warn: { mark: '!', word: 'warning', lead: 'The server works; some things need attention.' },
  fail: { mark: '✕', word: 'failure', lead: 'Some things do not work.' },
} as const
const WORST_FIRST = ['fail', 'warn', 'pass'] as const

/** Asks for the token that opens the report. It is sent in the body, and never comes back. */
export function doctorFormPage(refusal?: DoctorRefusal): string {
  const told =
    refusal === undefined
      ? ''
      : `<section role="alert" aria-labelledby="refused">
<h2 id="refused">Refused</h2>
<p class="status">${escapeHtml(refusal.text)}</p>
${refusal.fix === undefined ? '' : `<p><strong>To do:</strong> ${escapeHtml(refusal.fix)}</p>`}
${refusal.correlationId === undefined ? '' : `<p class="note">Correlation id <code>${escapeHtml(refusal.correlationId)}</code></p>`}
</section>`
  return page(
    'Doctor',
    `<header>
<p class="state">for operators</p>
<h1>Doctor</h1>
<p class="lead">What is in order, what is not, and what to do: as this running server sees itself and its neighbours.</p>
</header>
${told}
${formSection('Show the report')}`,
  )
}

/** The report: what does not work first, each finding with what to do. */
export function doctorReportPage({ outcome, findings }: DoctorReport): string {
  const state = STATES[outcome]
  const groups = WORST_FIRST.map((each) => findings.filter((one) => one.outcome === each))
  const counts = WORST_FIRST.map(
    (each, index) =>
      `<div><dt>${escapeHtml(STATES[each].word)}</dt><dd>${groups[index]!.length}</dd></div>`,
  )
  return page(
    `Doctor: ${state.word}`,
    `<header>
<p class="state ${outcome === 'fail' ? 'bad' : outcome === 'pass' ? 'good' : ''}">${escapeHtml(state.word)}</p>
<h1>Doctor</h1>
<p class="lead">${escapeHtml(state.lead)}</p>
</header>
<section aria-labelledby="findings">
<h2 id="findings">Findings</h2>
<dl class="figures">${counts.join('')}</dl>
<table class="findings">
<thead><tr><th scope="col">Outcome</th><th scope="col">What</th><th scope="col">Found, and what to do</th></tr></thead>
<tbody>
${groups.flat().map(row).join('\n')}
</tbody>
</table>
</section>
${formSection('Look again')}`,
  )
}

function row({ outcome, subject, check, found, fix }: DoctorReport['findings'][number]): string {
  const { mark, word } = STATES[outcome]
  const colour = outcome === 'fail' ? 'bad' : outcome === 'pass' ? 'good' : ''
  const todo = fix === undefined ? '' : `<br><strong>To do:</strong> ${escapeHtml(fix)}`
  return `<tr><td class="${colour}"><span aria-hidden="true">${mark}</span> ${escapeHtml(word)}</td><th scope="row">${escapeHtml(subject)}, ${escapeHtml(check)}</th><td>${escapeHtml(found)}${todo}</td></tr>`
}

function formSection(button: string): string {
  return `<section aria-labelledby="ask">
<h2 id="ask">${escapeHtml(button)}</h2>
<form method="post" action="/admin/doctor" autocomplete="off">
<p><label for="token">Access token of the admin API with the scope <code>admin/doctor.read</code></label></p>
<p><input id="token" name="token" type="password" required maxlength="16384" autocomplete="off" spellcheck="false"></p>
<p><button>${escapeHtml(button)}</button></p>
</form>
<p class="note"><code>scopegate doctor --open</code> prints one that is good for five minutes and for nothing else.</p>
</section>`
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} – Scopegate</title>
<style>${LANDING_STYLE}</style>
</head>
<body>
<main>
${content}
</main>
<footer>This page holds no patient data, no secret and no script · <a href="/">first page</a></footer>
</body>
</html>
`
}
