import type { EncounterSummary, PatientSummary } from '@scopegate/oauth-model'
import { html } from 'hono/html'
import { encounterTime } from './encounter-picker-page.ts'
import {
  appBadge,
  csrfField,
  type Html,
  heading,
  layout,
  type PageFrame,
  problem,
} from './layout.ts'
import { patientFacts } from './patient-picker-page.ts'
import type { Words } from './texts/words.ts'
import { userBar } from './user-bar.ts'

/** A scope that can be allowed or not. */
export interface ConsentItem {
  readonly scope: string
  readonly title: string
  readonly detail: string
  readonly group: 'read' | 'both' | 'write' | 'identity' | 'offline' | 'other'
  readonly sensitive: boolean
  readonly ticked: boolean
  /** `only`: narrowed to the ticked kinds. */
  readonly mode: 'all' | 'only'
  readonly kinds: readonly {
    readonly scope: string
    readonly title: string
    readonly sensitive: boolean
    readonly ticked: boolean
  }[]
}

export interface ConsentView {
  readonly csrf: string
  /** Names what the page shows: a decision counts for that and nothing else. */
  readonly shown: string
  readonly base: string
  readonly app: {
    readonly name: string
    readonly site?: string
    readonly policyUri?: string
    readonly tosUri?: string
    /** Registered by the operator, not by itself. */
    readonly verified: boolean
  }
  readonly userName: string
  /** The patient in context; `unknown`: the EHR gave one that the directory does not show. */
  readonly patient?: PatientSummary | 'unknown'
  readonly encounter?: EncounterSummary
  readonly canChangePatient: boolean
  /** Whether `user/` scopes are asked for. */
  readonly forAllPatients: boolean
  readonly items: readonly ConsentItem[]
  readonly duration: ConsentDuration
  readonly canRemember: boolean
  readonly problem?: string
}

export interface ConsentDuration {
  readonly accessSeconds: number
  /** The title of the scope that lets access go on after sign-out, if it is asked for. */
  readonly offlineTitle?: string
  /** Life of an unused refresh token; missing: until it is revoked. */
  readonly offlineSeconds?: number
  readonly online: boolean
}

const GROUPS = ['read', 'both', 'write', 'identity', 'offline', 'other'] as const

/** Who asks, for whom, for what and for how long. Everything can be unticked; kinds narrow a scope. */
export function consentPage(frame: PageFrame, view: ConsentView): string {
  const { words: t } = frame
  const { csrf, base, app, items } = view
  const clinical = items.some(
    ({ group }) => group === 'read' || group === 'write' || group === 'both',
  )
  const title = t(clinical ? 'consent.titlePatient' : 'consent.title', { app: app.name })
  return layout(frame, {
    title,
    width: 'wide',
    body: html`${heading(title)}
<div class="who">${who(frame, view)}</div>
${problem(t, view.problem)}
${whom(t, view)}
<form method="post" action="${base}/consent">
${csrfField(csrf)}<input type="hidden" name="shown" value="${view.shown}">
<section class="stack" aria-labelledby="allowed"><div class="head"><h2 id="allowed">${t('consent.allowed')}</h2><p class="small">${t('consent.untick')}</p></div>
<div class="scopes">${GROUPS.map((group) => scopeGroup(t, group, items))}</div></section>
<section class="stack" aria-labelledby="duration"><h2 id="duration">${t('consent.duration')}</h2>
<p>${durationText(t, view.duration)} ${t('consent.revoke')}</p></section>
${view.forAllPatients ? html`<p class="note warn">${t('consent.userNote')}</p>` : ''}
${view.canRemember ? html`<p class="check"><input type="checkbox" id="remember" name="remember" value="yes"><label for="remember">${t(view.patient === undefined ? 'consent.rememberUser' : 'consent.remember')}</label></p>` : ''}
<div class="row"><button name="decision" value="allow">${t('consent.allow')}</button><button class="second" name="decision" value="deny" formnovalidate>${t('consent.deny')}</button></div>
</form>
<details><summary>${t('consent.technical')}</summary><ul>${items.map(({ scope }) => html`<li><code>${scope}</code></li>`)}</ul></details>
${userBar(frame, view, { cancel: false })}`,
  })
}

function who({ words: t, theme }: PageFrame, { app }: ConsentView): Html {
  const line = t('consent.site', { site: app.site ?? '' })
  const registered = t('consent.verified', { server: theme.name })
  const links = [
    [app.policyUri, 'consent.policy'],
    [app.tosUri, 'consent.terms'],
  ] as const
  const shown = links.filter(([href]) => href !== undefined)
  return html`${appBadge(app.name, app.site === undefined ? (app.verified ? registered : '') : line)}
${
  app.verified
    ? app.site === undefined
      ? ''
      : html`<p class="quiet small">${registered}</p>`
    : html`<p class="note warn">${t('consent.unverified', { server: theme.name })}</p>`
}
${shown.length === 0 ? '' : html`<p class="facts small">${shown.map(([href, key]) => html`<a href="${href}" rel="noreferrer noopener" target="_blank">${t(key)}</a> `)}</p>`}`
}

function whom(t: Words, view: ConsentView): Html | '' {
  const { patient, encounter, base, csrf } = view
  if (patient === undefined) return ''
  const person =
    patient === 'unknown'
      ? html`<b>${t('consent.patientUnknown')}</b>`
      : html`<b>${patient.name}</b><p class="facts">${patientFacts(t, patient)}</p>`
  return html`<section class="person" aria-label="${t('consent.patient')}">
<div class="between"><p class="kind">${t('consent.patient')}</p>${
    view.canChangePatient
      ? html`<form method="post" action="${base}/change-patient">${csrfField(csrf)}<button class="plain small">${t('consent.change')}</button></form>`
      : ''
  }</div>
${person}
${encounter === undefined ? '' : html`<p class="small">${t('consent.encounter')}: ${encounter.title} ${encounterTime(t, encounter)}</p>`}
${view.forAllPatients ? '' : html`<p class="small quiet">${t('consent.patientNote')}</p>`}
</section>`
}

function scopeGroup(
  t: Words,
  group: (typeof GROUPS)[number],
  all: readonly ConsentItem[],
): Html | '' {
  const items = all.filter((item) => item.group === group)
  if (items.length === 0) return ''
  return html`<div role="group" aria-labelledby="group-${group}"><h3 id="group-${group}">${t(`consent.group.${group}`)}</h3>
${items.map((item) => scopeRow(t, item, all.indexOf(item)))}</div>`
}

function scopeRow(t: Words, item: ConsentItem, index: number): Html {
  const id = `scope-${index}`
  return html`<div class="scope"><input type="checkbox" id="${id}" name="scope" value="${item.scope}"${item.ticked ? html` checked` : ''} aria-describedby="${id}-detail">
<div><label for="${id}">${item.title}</label>${item.sensitive ? html` <span class="tag">${t('consent.sensitive')}</span>` : ''}</div>
<p class="detail" id="${id}-detail">${item.detail}</p>
${item.kinds.length === 0 ? '' : kinds(t, item, id)}</div>`
}

/** All of it, or ticked kinds. The list shows when it is asked for, and always where `:has` is unknown. */
function kinds(t: Words, { scope, title, mode, kinds: offered }: ConsentItem, id: string): Html {
  const modes = [
    ['all', 'consent.everything'],
    ['only', 'consent.only'],
  ] as const
  return html`<fieldset class="kinds"><legend class="unseen">${t('consent.kindsOf', { title })}</legend>
<div class="modes">${modes.map(
    ([value, key]) =>
      html`<p class="pick"><input type="radio" id="${id}-${value}" name="mode ${scope}" value="${value}"${mode === value ? html` checked` : ''}><label for="${id}-${value}">${t(key)}</label></p>`,
  )}</div>
<div class="list">${offered.map(
    (kind, index) =>
      html`<p class="pick"><input type="checkbox" id="${id}-kind-${index}" name="kind ${scope}" value="${kind.scope}"${kind.ticked ? html` checked` : ''}><label for="${id}-kind-${index}">${kind.title}${kind.sensitive ? html` <span class="tag">${t('consent.sensitive')}</span>` : ''}</label></p>`,
  )}</div></fieldset>`
}

function durationText(t: Words, duration: ConsentDuration): string {
  const short = t.duration(duration.accessSeconds)
  const { offlineTitle: offline, offlineSeconds } = duration
  if (offline !== undefined && offlineSeconds !== undefined) {
    return t('consent.durationOffline', { offline, time: t.duration(offlineSeconds), short })
  }
  if (offline !== undefined) return t('consent.durationOfflineEndless', { offline, short })
  if (duration.online) return t('consent.durationOnline')
  return t('consent.durationOnce', { time: short })
}
