import { type Browser, createBrowser, isAway } from '../conformance/support/browser.ts'
import { codeOf, fillIn } from '../conformance/support/launch-app.ts'
import { type AuthorizeRequest, createSmartApp } from '../conformance/support/smart-app.ts'
import { cpuSeconds } from './cpu-seconds.ts'

/**
 * Plays apps and people in a process of its own: sign-in, patient, consent, code, tokens, over
 * HTTP with cookies and forms. Reads the job as JSON from stdin, prints the result as JSON.
 */
export interface LaunchJob {
  readonly url: string
  readonly fhirUrl: string
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: string
  readonly people: readonly { readonly username: string; readonly password: string }[]
  /**
   * `sign-in`: whole launches, each with a password. `session`: whole launches of somebody who is
   * signed in. `exchange`: only code against tokens. `refresh`: only the refresh.
   */
  readonly what: 'sign-in' | 'session' | 'exchange' | 'refresh'
  readonly seconds: number
  readonly connections: number
  /** Process whose CPU time is read. */
  readonly serverPid: number
}

export interface LaunchResult {
  readonly count: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p95Ms: number
  /** CPU time of the server for each, database not counted. */
  readonly cpuMs: number
}

const job = JSON.parse(await readStdin()) as LaunchJob
const app = createSmartApp(
  { clientId: job.clientId, redirectUri: job.redirectUri },
  {
    authorizeUrl: `${job.url}/oauth/authorize`,
    tokenUrl: `${job.url}/oauth/token`,
    fhirUrl: job.fhirUrl,
  },
)
const people = job.people.map((person, index) => ({ id: String(index), ...person }))

console.log(JSON.stringify(await run()))

async function run(): Promise<LaunchResult> {
  switch (job.what) {
    case 'sign-in':
      return measure(async (index) => {
        const { code, request } = await codeFor(createBrowser(job.url), index)
        await exchange(code, request)
      })
    case 'session': {
      const browsers = await signedIn()
      return measure(async (index) => {
        const { code, request } = await codeFor(browsers[index]!, index)
        await exchange(code, request)
      })
    }
    case 'refresh': {
      const browsers = await signedIn()
      const tokens = await Promise.all(
        browsers.map(async (browser, index) => {
          const { code, request } = await codeFor(browser, index)
          return (await exchange(code, request)).refresh_token ?? ''
        }),
      )
      return measure(async (index) => {
        const { status, json } = await app.refresh(tokens[index]!)
        if (status !== 200) throw new Error(`refresh answered ${status}: ${json.error_description}`)
        tokens[index] = json.refresh_token ?? ''
      })
    }
    case 'exchange': {
      const browsers = await signedIn()
      const codes: { code: string; request: AuthorizeRequest }[] = []
      // Codes live a minute: what is made in a third of that can be exchanged in the rest.
      const endMs = performance.now() + Math.min(20_000, job.seconds * 4000)
      await Promise.all(
        browsers.map(async (browser, index) => {
          while (performance.now() < endMs) codes.push(await codeFor(browser, index))
        }),
      )
      // Without a warm-up, which would use them up.
      return repeat(async () => {
        const next = codes.pop()
        if (next === undefined) return false
        await exchange(next.code, next.request)
        return true
      }, job.seconds)
    }
  }
}

/**
 * Keeps `connections` of them under way until the time is over or one says that there is no more,
 * after a warm-up of a quarter of that.
 */
async function measure(once: (index: number) => Promise<unknown>): Promise<LaunchResult> {
  await repeat(once, Math.min(2, job.seconds / 4))
  return repeat(once, job.seconds)
}

async function repeat(
  once: (index: number) => Promise<unknown>,
  forSeconds: number,
): Promise<LaunchResult> {
  const latenciesMs: number[] = []
  const cpuBefore = await cpuSeconds(job.serverPid)
  const fromMs = performance.now()
  const endMs = fromMs + forSeconds * 1000
  await Promise.all(
    Array.from({ length: job.connections }, async (_, index) => {
      while (performance.now() < endMs) {
        const startedMs = performance.now()
        if ((await once(index)) === false) break
        latenciesMs.push(performance.now() - startedMs)
      }
    }),
  )
  const seconds = (performance.now() - fromMs) / 1000
  const cpu = (await cpuSeconds(job.serverPid)) - cpuBefore
  latenciesMs.sort((a, b) => a - b)
  const quantile = (q: number) => latenciesMs[Math.floor(q * (latenciesMs.length - 1))] ?? 0
  return {
    ...{ count: latenciesMs.length, seconds },
    cpuMs: (cpu / latenciesMs.length) * 1000,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
  }
}

async function signedIn(): Promise<readonly Browser[]> {
  const browsers = Array.from({ length: job.connections }, () => createBrowser(job.url))
  for (const [index, browser] of browsers.entries()) await codeFor(browser, index)
  return browsers
}

async function codeFor(browser: Browser, index: number) {
  const person = people[index % people.length]!
  const request = app.authorize({ scope: job.scope })
  let page: Awaited<ReturnType<Browser['open']>> = await browser.open(request.url)
  while (!isAway(page)) {
    const picker = page.forms.find(({ action }) => action.endsWith('/patient'))
    page = picker
      ? await browser.submit(picker, {}, picker.buttons[0])
      : await fillIn(browser, page, person, {})
  }
  return { code: codeOf(page, request), request }
}

async function exchange(code: string, request: AuthorizeRequest) {
  const { status, json } = await app.exchange(code, request)
  if (status !== 200) throw new Error(`exchange answered ${status}: ${json.error_description}`)
  return json
}

async function readStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  return text
}
