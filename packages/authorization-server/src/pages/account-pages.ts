import { html } from 'hono/html'
import {
  appBadge,
  csrfField,
  type Html,
  heading,
  layout,
  notice,
  type PageFrame,
  problem,
} from './layout.ts'
import type { Words } from './texts/words.ts'

export const ACCOUNT_PATHS = {
  grants: '/account',
  sessions: '/account/sessions',
  security: '/account/security',
  password: '/account/password',
  factor: '/account/second-factor',
  passkeys: '/account/passkeys',
  login: '/account/login',
  logout: '/account/logout',
} as const

/** What each account page shows. */
export interface AccountBase {
  readonly csrf: string
  readonly userName: string
  readonly notice?: string
  readonly problem?: string
}

/** An app with all that it was allowed: it is revoked as a whole. */
export interface AppCard {
  readonly clientId: string
  readonly appName: string
  readonly site?: string
  readonly parts: readonly GrantPart[]
}

/** What an app may do for one patient, or as the user. */
export interface GrantPart {
  /** Name of the patient; `null`: one that the user may no longer open. */
  readonly patient?: string | null
  readonly titles: readonly string[]
  readonly offline: boolean
  /** Epoch seconds. */
  readonly since: number
  readonly lastUsedAt?: number
}

/** What was granted to whom, and the button that takes it back. */
export function grantsPage(
  frame: PageFrame,
  view: AccountBase & { readonly apps: readonly AppCard[] },
): string {
  const { words: t } = frame
  return accountPage(frame, view, 'grants', t('account.appsLead'), [
    view.apps.length === 0
      ? html`<p class="empty"><b>${t('account.noApps')}</b></p>`
      : html`<ul class="cards">${view.apps.map((app) => appCard(t, app, view.csrf))}</ul>`,
  ])
}

function appCard(t: Words, { clientId, appName, site, parts }: AppCard, csrf: string): Html {
  return html`<li class="card">${appBadge(appName, site ?? '')}
${parts.map((part) => grantPart(t, part))}
<form method="post" action="${ACCOUNT_PATHS.grants}/revoke">${csrfField(csrf)}<button class="risky" name="client" value="${clientId}" aria-label="${t('account.revokeOf', { app: appName })}">${t('account.revoke')}</button></form></li>`
}

function grantPart(t: Words, part: GrantPart): Html {
  const { patient } = part
  const whom =
    patient === undefined
      ? t('account.forYou')
      : t('account.forPatient', { patient: patient ?? t('account.hiddenPatient') })
  const facts = [
    t('account.since', { date: t.date(part.since) }),
    part.lastUsedAt === undefined
      ? t('account.neverUsed')
      : t('account.lastUsed', { date: t.date(part.lastUsedAt) }),
    ...(part.offline ? [t('account.offline')] : []),
  ]
  return html`<div class="part"><h2>${whom}</h2>
<ul>${part.titles.map((title) => html`<li class="scope-line">${title}</li>`)}</ul>
<p class="facts small quiet">${facts.map((fact) => html`<span>${fact}</span> `)}</p></div>`
}

export interface SessionCard {
  readonly id: string
  readonly current: boolean
  readonly device?: string
  readonly address?: string
  /** Epoch seconds. */
  readonly since: number
  readonly expiresAt: number
}

export function sessionsPage(
  frame: PageFrame,
  view: AccountBase & { readonly sessions: readonly SessionCard[] },
): string {
  const { words: t } = frame
  const { sessions, csrf } = view
  return accountPage(frame, view, 'sessions', t('account.sessionsLead'), [
    html`<ul class="cards">${sessions.map((session) => sessionCard(t, session, csrf))}</ul>`,
    sessions.length < 2
      ? ''
      : html`<form method="post" action="${ACCOUNT_PATHS.sessions}/end-others">${csrfField(csrf)}<div><button class="risky">${t('account.endOthers')}</button></div></form>`,
  ])
}

function sessionCard(t: Words, session: SessionCard, csrf: string): Html {
  const name = t(session.current ? 'account.thisSession' : 'account.otherSession')
  const facts = [
    session.device,
    session.address,
    t('account.sessionSince', { date: t.date(session.since) }),
    t('account.sessionEnds', { date: t.date(session.expiresAt) }),
  ].filter((fact) => fact !== undefined)
  return html`<li class="card"><h2>${name}</h2>
<p class="facts small quiet">${facts.map((fact) => html`<span>${fact}</span> `)}</p>
${
  session.current
    ? ''
    : html`<form method="post" action="${ACCOUNT_PATHS.sessions}/end">${csrfField(csrf)}<button class="risky" name="session" value="${session.id}">${t('account.endSession')}</button></form>`
}</li>`
}

export interface PasskeyLine {
  readonly id: string
  readonly name: string
  /** Epoch seconds. */
  readonly createdAt: number
  readonly lastUsedAt?: number
}

export function securityPage(
  frame: PageFrame,
  view: AccountBase & {
    readonly username: string
    readonly hasPassword: boolean
    readonly hasTotp: boolean
    /** Missing where browsers make none. */
    readonly passkeys?: readonly PasskeyLine[]
  },
): string {
  const { words: t } = frame
  const { csrf } = view
  return accountPage(frame, view, 'security', undefined, [
    html`<section class="card"><h2>${t('account.passwordTitle')}</h2>
${
  view.hasPassword
    ? html`<p><a class="button second" href="${ACCOUNT_PATHS.password}">${t('account.passwordChange')}</a></p>`
    : html`<p>${t('account.passwordUpstream')}</p>`
}</section>`,
    view.hasPassword
      ? html`<section class="card"><h2>${t('account.factorTitle')}</h2>
<p>${t(secondFactorLine(view))}</p>
<form method="post" action="${ACCOUNT_PATHS.factor}/begin">${csrfField(csrf)}
<input type="text" name="username" value="${view.username}" autocomplete="username" hidden>
<div class="field"><label for="password">${t('password.current')}</label><input type="password" id="password" name="password" autocomplete="current-password" maxlength="1024" required></div>
<div class="row"><button class="second">${t(view.hasTotp ? 'account.factorReplace' : 'account.factorAdd')}</button>
${view.hasTotp ? html`<button class="risky" formaction="${ACCOUNT_PATHS.factor}/remove">${t(view.passkeys?.length ? 'account.factorsRemove' : 'account.factorRemove')}</button>` : ''}</div></form></section>`
      : '',
    view.hasPassword && view.passkeys !== undefined
      ? passkeySection(t, { ...view, passkeys: view.passkeys })
      : '',
  ])
}

function secondFactorLine(view: {
  readonly hasTotp: boolean
  readonly passkeys?: readonly PasskeyLine[]
}) {
  if (view.hasTotp) return 'account.factorOn'
  return view.passkeys?.length ? 'account.passkeyOn' : 'account.factorOff'
}

function passkeySection(
  t: Words,
  view: {
    readonly csrf: string
    readonly username: string
    readonly passkeys: readonly PasskeyLine[]
  },
): Html {
  const { csrf, username, passkeys } = view
  return html`<section class="card"><h2>${t('passkey.sectionTitle')}</h2>
<p>${t('passkey.sectionLead')}</p>
<form method="post" action="${ACCOUNT_PATHS.passkeys}/begin">${csrfField(csrf)}
<input type="text" name="username" value="${username}" autocomplete="username" hidden>
<div class="field"><label for="passkey-password">${t('password.current')}</label><input type="password" id="passkey-password" name="password" autocomplete="current-password" maxlength="1024" required></div>
<div class="row"><button class="second">${t('passkey.add')}</button></div>
${
  passkeys.length === 0
    ? ''
    : html`<ul>${passkeys.map(
        ({ id, name, createdAt, lastUsedAt }) =>
          html`<li class="between"><div><b>${name}</b>
<p class="facts small quiet"><span>${t('passkey.made', { date: t.date(createdAt) })}</span> <span>${lastUsedAt === undefined ? t('account.neverUsed') : t('account.lastUsed', { date: t.date(lastUsedAt) })}</span></p></div>
<button class="risky" formaction="${ACCOUNT_PATHS.passkeys}/remove" name="passkey" value="${id}" aria-label="${t('passkey.removeOf', { name })}">${t('passkey.remove')}</button></li>`,
      )}</ul>`
}</form></section>`
}

export interface FactorSetupView extends AccountBase {
  readonly secret: string
  /** `otpauth://…` */
  readonly uri: string
}

/** The key of an authenticator app, to be typed or opened; a code of it switches it on. */
export function factorSetupPage(frame: PageFrame, view: FactorSetupView): string {
  const { words: t } = frame
  const title = t('account.factorEnrolTitle')
  const grouped = view.secret.replace(/(.{4})(?=.)/g, '$1 ')
  return layout(frame, {
    title,
    width: 'middle',
    body: html`${heading(title, t('account.factorEnrolLead'))}
${problem(t, view.problem)}
<div class="field"><p class="label" id="key-label">${t('account.factorSecret')}</p><p class="key" aria-labelledby="key-label">${grouped}</p></div>
<p><a href="${view.uri}">${t('account.factorOpen')}</a></p>
<form method="post" action="${ACCOUNT_PATHS.factor}/confirm">${csrfField(view.csrf)}
<input type="hidden" name="secret" value="${view.secret}"><input type="hidden" name="uri" value="${view.uri}">
<div class="field code"><label for="code">${t('account.factorConfirm')}</label>
<input type="text" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required${view.problem === undefined ? '' : html` aria-invalid="true" aria-describedby="problem"`}></div>
<button class="full">${t('account.factorSubmit')}</button></form>
<p><a href="${ACCOUNT_PATHS.security}">${t('common.cancel')}</a></p>`,
  })
}

/** Shown this once. */
export function recoveryCodesPage(
  frame: PageFrame,
  view: { readonly codes: readonly string[]; readonly done?: string },
): string {
  const { words: t } = frame
  const title = t('account.recoveryTitle')
  return layout(frame, {
    title,
    width: 'middle',
    body: html`${notice(view.done ?? t('account.factorAdded'))}${heading(title, t('account.recoveryLead'))}
<ul class="key">${view.codes.map((code) => html`<li>${code}</li>`)}</ul>
<p><a class="button full" href="${ACCOUNT_PATHS.security}">${t('account.recoveryDone')}</a></p>`,
  })
}

function accountPage(
  frame: PageFrame,
  view: AccountBase,
  at: 'grants' | 'sessions' | 'security',
  lead: string | undefined,
  parts: readonly (Html | '')[],
): string {
  const { words: t } = frame
  const tabs = [
    ['grants', 'account.apps'],
    ['sessions', 'account.sessions'],
    ['security', 'account.security'],
  ] as const
  const [, name] = tabs.find(([key]) => key === at) ?? tabs[0]
  return layout(frame, {
    title: `${t(name)} – ${t('account.title')}`,
    width: 'wide',
    body: html`<div class="between"><div class="head"><h1>${t('account.title')}</h1><p>${t('common.signedInAs', { name: view.userName })}</p></div>
<form method="post" action="${ACCOUNT_PATHS.logout}">${csrfField(view.csrf)}<button class="second">${t('account.signOut')}</button></form></div>
<nav class="tabs" aria-label="${t('account.nav')}">${tabs.map(
      ([key, text]) =>
        html`<a href="${ACCOUNT_PATHS[key]}"${key === at ? html` aria-current="page"` : ''}>${t(text)}</a>`,
    )}</nav>
${notice(view.notice)}${problem(t, view.problem)}
${lead === undefined ? '' : html`<p class="quiet">${lead}</p>`}
${parts}`,
  })
}
