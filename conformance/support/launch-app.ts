import assert from 'node:assert/strict'
import {
  type Away,
  type Browser,
  createBrowser,
  type FormValues,
  isAway,
  type Page,
} from './browser.ts'
import type { HtmlForm } from './html-forms.ts'
import type { Person } from './open-smart-server.ts'
import type {
  AuthorizeRequest,
  AuthorizeWish,
  SmartApp,
  TokenAnswer,
  TokenBody,
  TokenCall,
} from './smart-app.ts'

export interface LaunchWish extends AuthorizeWish {
  /** The patient to pick, where one is asked for: its id. */
  readonly patient?: string
  /** The encounter to pick, where one is asked for: its id. */
  readonly encounter?: string
  readonly consent?: ConsentChoice
  /** Sends the authorization request as a form. */
  readonly byPost?: boolean
  /** A browser that was used before, with its cookies. */
  readonly browser?: Browser
  /** How the code is exchanged. */
  readonly exchange?: TokenCall
}

/** What the user does with the consent page; allows all of it by default. */
export type ConsentChoice = 'deny' | ConsentSelection

export interface ConsentSelection {
  /** Which scopes stay ticked. Default all. */
  readonly keep?: (scope: string) => boolean
  /** For a resource-level scope, which of the categories offered instead of it are chosen. */
  readonly narrow?: Readonly<Record<string, (scope: string) => boolean>>
}

export interface Launched {
  readonly request: AuthorizeRequest
  readonly browser: Browser
  readonly away: Away
  readonly code: string
  readonly answer: TokenAnswer
  readonly token: TokenBody
  readonly accessToken: string
}

/** From the authorization request to the token response. @throws unless both succeed. */
export async function launchApp(
  server: { readonly url: string },
  app: SmartApp,
  person: Person,
  wish: LaunchWish,
): Promise<Launched> {
  const browser = wish.browser ?? createBrowser(server.url)
  const request = app.authorize(wish)
  const away = await authorizeInBrowser(browser, request, person, wish)
  const code = codeOf(away, request)
  const answer = await app.exchange(code, request, wish.exchange)
  assert.equal(answer.status, 200, JSON.stringify(answer.json))
  const accessToken = answer.json.access_token ?? ''
  assert.notEqual(accessToken, '')
  return { request, browser, away, code, answer, token: answer.json, accessToken }
}

/** Goes to an authorization request that somebody else made, and comes back with the app's address. */
export async function visitAuthorizeUrl(
  url: URL | string,
  person: Person,
  wish: Omit<LaunchWish, 'scope'> = {},
): Promise<URL> {
  const { origin, href, searchParams } = new URL(url)
  const browser = wish.browser ?? createBrowser(origin)
  const { away } = await authorizeInBrowser(
    browser,
    { url: href, params: searchParams },
    person,
    wish,
  )
  return away
}

/** Follows an authorization request through the pages, back to the app. */
export async function authorizeInBrowser(
  browser: Browser,
  request: Pick<AuthorizeRequest, 'url' | 'params'>,
  person: Person,
  wish: Omit<LaunchWish, 'scope'>,
): Promise<Away> {
  const { origin, pathname } = new URL(request.url)
  const first = wish.byPost
    ? await browser.open(`${origin}${pathname}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: request.params.toString(),
      })
    : await browser.open(request.url)
  return walkPages(browser, first, person, wish)
}

const MAX_PAGES = 20

/** Fills in page after page, until the browser leaves for the app. */
export async function walkPages(
  browser: Browser,
  first: Page | Away,
  person: Person,
  wish: Omit<LaunchWish, 'scope'>,
): Promise<Away> {
  let current = first
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    if (isAway(current)) return current
    assert.equal(current.status, 200, `${new URL(current.url).pathname}: ${current.text}`)
    current = await fillIn(browser, current, person, wish)
  }
  throw new Error(`still on a page after ${MAX_PAGES} of them`)
}

/** What the person does on one page. */
export async function fillIn(
  browser: Browser,
  page: Page,
  person: Person,
  wish: Omit<LaunchWish, 'scope'>,
): Promise<Page | Away> {
  const consent = formTo(page, 'consent')
  if (consent) {
    const decision = wish.consent === 'deny' ? 'deny' : 'allow'
    const button = { name: 'decision', value: decision }
    return browser.submit(consent, consentValues(consent, wish.consent), button)
  }
  const encounters = page.forms.filter(({ action }) => action.endsWith('/encounter'))
  if (encounters.length > 0) {
    const button = { name: 'encounter', value: wish.encounter ?? '' }
    return browser.submit(encounters[0]!, {}, button)
  }
  if (formTo(page, 'patients')) return pickPatient(browser, page, wish.patient)
  const signIn = page.forms.find(({ fields }) => fields.some(({ name }) => name === 'password'))
  if (signIn) {
    const { username, password } = person
    return browser.submit(signIn, { username, password })
  }
  throw new Error(`no form of this page is known: ${page.text.slice(0, 500)}`)
}

/** Presses the button of the patient, turning pages until it is there. */
function pickPatient(
  browser: Browser,
  page: Page,
  patient: string | undefined,
): Promise<Page | Away> {
  assert.ok(patient, 'a patient is to be picked, and the test names none')
  const choices = formTo(page, 'patient')
  const button = choices?.buttons.find(({ value }) => value === patient)
  if (choices && button) return browser.submit(choices, {}, button)
  const next = page.forms.find(({ fields }) =>
    fields.some(({ name, value }) => name === 'cursor' && value !== ''),
  )
  assert.ok(next, `\`${patient}\` is not offered: ${page.text.slice(0, 500)}`)
  return browser.submit(next)
}

function consentValues(form: HtmlForm, choice: ConsentChoice | undefined): FormValues {
  if (choice === undefined || choice === 'deny') return {}
  const { keep = () => true, narrow = {} } = choice
  const offered = (name: string) =>
    form.fields.filter((field) => field.name === name).map(({ value }) => value)
  const values: Record<string, readonly string[]> = { scope: offered('scope').filter(keep) }
  for (const [scope, wanted] of Object.entries(narrow)) {
    const kinds = offered(`kind ${scope}`)
    assert.ok(kinds.length > 0, `the page offers kinds of ${scope}`)
    values[`mode ${scope}`] = ['only']
    values[`kind ${scope}`] = kinds.filter(wanted)
  }
  return values
}

function formTo(page: Page, step: string): HtmlForm | undefined {
  return page.forms.find(({ action }) => new URL(action).pathname.endsWith(`/${step}`))
}

/** The code that the app got. @throws when it got an error. */
export function codeOf({ away }: Away, request: AuthorizeRequest): string {
  const params = away.searchParams
  assert.equal(
    params.get('error'),
    null,
    `${params.get('error')}: ${params.get('error_description')}`,
  )
  assert.equal(params.get('state'), request.state)
  const code = params.get('code') ?? ''
  assert.notEqual(code, '')
  return code
}
