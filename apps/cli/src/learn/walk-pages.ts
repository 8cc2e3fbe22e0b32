import { CliError } from '../cli-error.ts'
import type { Cookies } from './cookies.ts'
import { type PageForm, readPageForms, readRefresh } from './page-forms.ts'
import type { Answered, TaughtRequest, Teacher } from './teacher.ts'
import type { TemporaryUser } from './temporaries.ts'

export interface Walk {
  readonly teacher: Teacher
  readonly cookies: Cookies
  readonly user: TemporaryUser
  /** The authorization request, whole. */
  readonly url: string
  readonly redirectUri: string
  /** To be chosen where a page asks. */
  readonly patient: string
}

type Hop = Omit<TaughtRequest, 'expect'>

const MAX_HOPS = 20

/**
 * Goes through the pages of the server as the user's browser, from the authorization request until
 * it is sent back to the app. @returns the address at the app, with code or error
 */
export async function walkPages(walk: Walk): Promise<URL> {
  const { teacher, cookies } = walk
  let hop: Hop = {
    title: 'Send the browser to the authorization endpoint',
    why: 'The app asks with what it wants (scope), for which FHIR endpoint (aud), and with the hash of a secret that only it knows (PKCE). It never sees what comes next.',
    url: walk.url,
  }
  for (let hops = 0; hops < MAX_HOPS; hops += 1) {
    const answered = await teacher.send({
      ...hop,
      headers: { Accept: 'text/html', ...hop.headers, ...cookies.header(hop.url) },
      expect: [200, 302, 303],
    })
    cookies.keep(answered.headers, hop.url)
    const next = nextAddress(answered, hop.url)
    if (next === undefined) {
      hop = fillIn(walk, answered, hop.url)
      continue
    }
    if (next.href.startsWith(walk.redirectUri)) {
      const code = next.searchParams.get('code')
      if (code !== null) teacher.hide(code)
      return next
    }
    const isPage = next.pathname.includes('/interaction/')
    hop = { ...(isPage ? NEXT_PAGE : BACK), url: next.href }
  }
  throw new CliError(`the lesson cannot go on: more than ${MAX_HOPS} pages`)
}

const NEXT_PAGE = {
  title: 'The server shows what is next',
  why: 'Where this sign-in stands is kept by the server; the address holds nothing but its number, and works in this browser only.',
} as const
const BACK = {
  title: 'The server sends the browser back to the app',
  why: 'All questions are answered. The app gets no token here, since addresses end up in histories and logs, but a code that is worth nothing alone.',
} as const

function nextAddress({ headers, text }: Answered, from: string): URL | undefined {
  const location = headers.get('location') ?? readRefresh(text)
  return location === undefined ? undefined : new URL(location, from)
}

/** What the user does on a page. */
function fillIn(walk: Walk, { text }: Answered, pageUrl: string): Hop {
  const forms = readPageForms(text, pageUrl)
  for (const [action, says] of Object.entries(PAGES)) {
    const form = forms.find((each) => new URL(each.action).pathname.endsWith(`/${action}`))
    if (form === undefined) continue
    const { title, why } = says
    const fields = new URLSearchParams(form.fields.map(([name, value]) => [name, value]))
    for (const [name, value] of Object.entries(says.values(walk, form))) fields.set(name, value)
    const { origin } = new URL(pageUrl)
    return { title, why, url: form.action, headers: { Origin: origin }, form: fields }
  }
  const title = /<title>([^<]*)/.exec(text)?.[1]
  if (forms.some(({ action }) => new URL(action).pathname.endsWith('/patients'))) {
    throw new CliError(
      `the lesson cannot go on: no patient \`${walk.patient}\` is shown to the user`,
      {
        why: title,
        fix: 'name one that is in the store with --patient, or leave it out',
      },
    )
  }
  throw new CliError('the lesson cannot go on: the server shows a page that it does not know', {
    why: title,
    fix: 'scopegate traces --outcome refused shows what the server refused, and why',
  })
}

interface PageWords {
  readonly title: string
  readonly why: string
  readonly values: (walk: Walk, form: PageForm) => Readonly<Record<string, string>>
}

/** By the last part of the address that the form is sent to. */
const PAGES: Readonly<Record<string, PageWords>> = {
  'sign-in': {
    title: 'The user signs in',
    why: 'The password goes to this server and nowhere else: that is the point of the redirect. The answer sets the session cookie, which no script can read.',
    values: ({ user }) => ({ username: user.username, password: user.password }),
  },
  patient: {
    title: 'The user chooses a patient',
    why: 'The app asked for launch/patient and for patient/ scopes, which mean one patient. Whatever a form sends, the user must be allowed to see the one chosen.',
    values: ({ patient }) => ({ patient }),
  },
  encounter: {
    title: 'The user chooses a visit',
    why: 'The app asked for launch/encounter: it will be told which visit it is about.',
    values: (_, form) => ({
      encounter: form.buttons.find(({ name }) => name === 'encounter')?.value ?? '',
    }),
  },
  consent: {
    title: 'The user allows it',
    why: 'Every scope is said in words. What stays ticked is granted, and nothing else; a kind of data may be narrowed to some of its categories.',
    values: () => ({ decision: 'allow' }),
  },
}
