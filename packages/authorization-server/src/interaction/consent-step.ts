import { coversTogether, parseScopes } from '@scopegate/smart-scopes'
import { narrow } from '../grants/candidate-scopes.ts'
import { type ConsentDuration, type ConsentItem, consentPage } from '../pages/consent-page.ts'
import type { Form } from '../pages/read-form.ts'
import { conclude, refuse } from './finish.ts'
import { type ConsentStep, isPatient } from './next-step.ts'
import { scopeWords } from './scope-words.ts'
import { selectScopes } from './select-scopes.ts'
import type { Telling } from './sign-in.ts'
import { eventOf, textParam, type Visit } from './visit.ts'

/** Shows the page of consent, unless the operator or the user has said that it is not needed. */
export async function showConsent(
  visit: Visit,
  step: ConsentStep,
  telling: Telling = {},
): Promise<void> {
  const { client, deps } = visit
  if (step.candidates.every(isImplied)) {
    return refuse(visit, 'invalid_scope', 'no scope is left that can be granted in this context')
  }
  if (client.consent === 'skip' && client.source !== 'dynamic') {
    return grant(visit, step, step.candidates, { unasked: 'skip' })
  }
  if (mayRemember(visit) && telling.problem === undefined && !asksConsent(visit)) {
    const kept = await deps.grants.remembered({
      userId: step.signedIn.user.id,
      clientId: client.id,
      patient: step.context.patient,
      resource: deps.resourceOf(visit.details.params),
    })
    const scopes = kept && rememberedScopes(step.candidates, kept.scopes)
    if (scopes !== undefined) return grant(visit, step, scopes, { unasked: 'remembered' })
  }
  drawConsent(visit, step, itemsOf(visit, step), telling)
}

/**
 * What was remembered of these candidates, if all of them were decided then: each was allowed, or
 * narrowed to what is within it. Something new is asked for.
 */
function rememberedScopes(
  candidates: readonly string[],
  kept: readonly string[],
): readonly string[] | undefined {
  const known = parseScopes(kept.join(' ')).scopes
  const decided = candidates.every(
    (text) =>
      kept.includes(text) ||
      isImplied(text) ||
      parseScopes(text).scopes.every((scope) => coversTogether(known, scope)),
  )
  return decided ? candidates : undefined
}

/** Takes the form of consent. */
export async function takeConsent(visit: Visit, step: ConsentStep, form: Form): Promise<void> {
  const { frame, deps } = visit
  const denied = (reason: string) => {
    deps.onEvent?.({ ...eventOf(visit), kind: 'denied', reason })
    return refuse(visit, 'access_denied', 'the user did not allow it')
  }
  if (form.one('decision') !== 'allow') return denied('denied')
  if (!visit.browser.isCsrf(shownOf(visit, step), form.one('shown'))) {
    // Another tab has changed user or patient since: nobody has seen, and so allowed, this.
    const problem = frame.words('consent.changed')
    return drawConsent(visit, step, itemsOf(visit, step), { problem, status: 409 })
  }
  const items = itemsOf(visit, step)
  const selection = selectScopes(items, form)
  if (selection.kind === 'incomplete') {
    const problem = frame.words('consent.nothingTicked', { title: selection.title })
    return drawConsent(visit, step, withForm(items, form), { problem, status: 422 })
  }
  if (selection.scopes.length === 0) return denied('nothing-selected')
  const implied = step.candidates.filter(isImplied)
  const scopes = narrow(step.candidates, [...implied, ...selection.scopes])
  const remember = mayRemember(visit) && form.one('remember') === 'yes'
  return grant(visit, step, scopes, { remember })
}

/**
 * Any app on a device may claim a scheme such as `com.example.app:` and pose as the one that has
 * it: where nothing else proves which app it is, the user decides every time. @see RFC 8252 §8.6
 */
function mayRemember({ client, details }: Visit): boolean {
  if (client.consent !== 'remember') return false
  const redirectUri = textParam(details, 'redirect_uri')
  return !client.public || redirectUri === undefined || /^https?:/i.test(redirectUri)
}

/** Whether the app wants the user to decide anew. @see OpenID Connect Core §3.1.2.1 */
function asksConsent({ details }: Visit): boolean {
  return (textParam(details, 'prompt') ?? '').split(' ').includes('consent')
}

/** What a page of consent is about: who decides, in which context, on which scopes. */
function shownOf({ uid }: Visit, { signedIn, context, candidates }: ConsentStep): string {
  return JSON.stringify(['consent', uid, signedIn.user.id, context, candidates])
}

async function grant(
  visit: Visit,
  step: ConsentStep,
  scopes: readonly string[],
  how: { readonly remember?: boolean; readonly unasked?: 'skip' | 'remembered' },
): Promise<void> {
  const { deps, client, details } = visit
  const { user, session } = step.signedIn
  const grantId = await deps.grants.create({
    clientId: client.id,
    user,
    sessionId: session.id,
    scopes,
    resource: deps.resourceOf(details.params),
    context: step.context,
    // A grant that was given as remembered goes on being remembered.
    remember: how.remember === true || how.unasked === 'remembered',
  })
  const { patient } = step.context
  deps.onEvent?.({
    ...eventOf(visit),
    kind: 'granted',
    scopes,
    ...(patient === undefined ? {} : { patient }),
    ...(how.unasked === undefined ? {} : { unasked: how.unasked }),
  })
  await conclude(visit, {
    login: { accountId: user.id, ts: session.authTime, amr: [...session.amr], remember: true },
    consent: { grantId },
  })
}

/** What only says which context the app learns. It comes along with whatever is allowed. */
function isImplied(scope: string): boolean {
  return scope === 'launch' || scope.startsWith('launch/')
}

function itemsOf({ frame, deps }: Visit, step: ConsentStep): readonly ConsentItem[] {
  const page = { language: frame.words.language, self: isPatient(step.signedIn) }
  return step.candidates
    .filter((scope) => !isImplied(scope))
    .map((scope) => {
      const { kinds, ...words } = scopeWords(scope, page, deps.apiScopeTitle(scope))
      return {
        scope,
        ...words,
        ticked: true,
        mode: 'all',
        kinds: kinds.map((kind) => ({ ...kind, ticked: false })),
      }
    })
}

/** The items as the form had them, to be shown again. */
function withForm(items: readonly ConsentItem[], form: Form): readonly ConsentItem[] {
  const ticked = new Set(form.all('scope'))
  return items.map((item) => {
    const kinds = new Set(form.all(`kind ${item.scope}`))
    return {
      ...item,
      ticked: ticked.has(item.scope),
      mode: form.one(`mode ${item.scope}`) === 'only' ? 'only' : 'all',
      kinds: item.kinds.map((kind) => ({ ...kind, ticked: kinds.has(kind.scope) })),
    }
  })
}

function drawConsent(
  visit: Visit,
  step: ConsentStep,
  items: readonly ConsentItem[],
  telling: Telling,
): void {
  const { client, deps, frame, csrf, base, response } = visit
  const { patient, encounter, canChangePatient, candidates } = step
  const site = client.clientUri === undefined ? undefined : URL.parse(client.clientUri)?.host
  const page = consentPage(frame, {
    ...{ csrf, base, items, canChangePatient },
    shown: visit.browser.csrf(shownOf(visit, step)),
    app: {
      name: client.name,
      verified: client.source !== 'dynamic',
      ...(site === undefined ? {} : { site }),
      ...(client.policyUri === undefined ? {} : { policyUri: client.policyUri }),
      ...(client.tosUri === undefined ? {} : { tosUri: client.tosUri }),
    },
    userName: step.signedIn.user.name,
    ...(patient === undefined ? {} : { patient }),
    ...(encounter === undefined ? {} : { encounter }),
    forAllPatients: candidates.some((scope) => scope.startsWith('user/')),
    duration: durationOf(visit, items),
    canRemember: mayRemember(visit),
    ...(telling.problem === undefined ? {} : { problem: telling.problem }),
  })
  deps.pages.send(response, page, telling.status)
}

function durationOf({ deps, client }: Visit, items: readonly ConsentItem[]): ConsentDuration {
  const offline = items.find(({ scope }) => scope === 'offline_access')
  const offlineSeconds = client.refreshTokenSeconds ?? deps.offlineSeconds
  return {
    accessSeconds: client.accessTokenSeconds ?? deps.accessTokenSeconds,
    online: items.some(({ scope }) => scope === 'online_access'),
    ...(offline === undefined ? {} : { offlineTitle: offline.title }),
    ...(offline === undefined || offlineSeconds === undefined ? {} : { offlineSeconds }),
  }
}
