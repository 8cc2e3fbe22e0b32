import type { DoctorReport } from '@scopegate/admin-api'
import {
  type Handler,
  inheritRequestFacts,
  NO_STORE,
  PAGE_HEADERS,
  parseForm,
  readBody,
} from '@scopegate/http'
import { type DoctorRefusal, doctorFormPage, doctorReportPage } from './doctor-page.ts'

export interface DoctorHandlerDeps {
  /** The admin API: it authenticates, limits, audits and answers. */
  readonly admin: Handler
  readonly adminUrl: string
  /** Below the public address of the page. */
  readonly url: string
}

const MAX_BODY_BYTES = 32 * 1024

/**
 * `/admin/doctor`, the report of the doctor for people. It has no rights and no sessions of its own:
 * the token that an operator puts into its form is passed to the admin API, which decides as ever.
 * The token stands in no address, no cookie and no page.
 *
 * @see RFC 6750 §2.2
 */
export function createDoctorHandler({ admin, adminUrl, url }: DoctorHandlerDeps): Handler {
  const { origin } = new URL(url)

  /** What the admin API says to whoever has the token. */
  async function ask(token: string, request: Request): Promise<Response> {
    const inner = new Request(`${adminUrl}/doctor`, {
      headers: { authorization: `Bearer ${token}` },
      signal: request.signal,
    })
    return admin(inheritRequestFacts(inner, request))
  }

  async function report(request: Request): Promise<Response> {
    if (!isOwnForm(request, origin)) {
      return answer(403, doctorFormPage({ text: 'the form was sent by a page of another site' }))
    }
    const token = await readToken(request)
    if (typeof token !== 'string') return answer(400, doctorFormPage(token))
    const told = await ask(token, request)
    if (told.ok) return answer(200, doctorReportPage((await told.json()) as DoctorReport))
    const problem = (await told.json().catch(() => ({}))) as {
      readonly detail?: string
      readonly fix?: string
      readonly correlationId?: string
    }
    const { detail = 'not permitted', fix, correlationId } = problem
    return answer(told.status, doctorFormPage({ text: detail, fix, correlationId }))
  }

  return async (request) => {
    if (request.method === 'POST') return report(request)
    if (request.method === 'GET' || request.method === 'HEAD') return answer(200, doctorFormPage())
    return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD, POST' } })
  }
}

/**
 * Browsers say where a form comes from; other programs need not. `Origin` of the own page is `null`,
 * since it has no referrer to tell, so that the newer header goes first.
 *
 * @see Fetch Metadata Request Headers §2.3
 */
function isOwnForm({ headers }: Request, origin: string): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin'
  const from = headers.get('origin')
  return from === null || from === origin
}

async function readToken(request: Request): Promise<string | DoctorRefusal> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return { text: 'the form is not one' }
  const body = await readBody(request, { limitBytes: MAX_BODY_BYTES })
  const form = body.ok ? parseForm(body.text, 10) : undefined
  const token = form?.ok ? form.pairs.find(([name]) => name === 'token')?.[1].trim() : undefined
  if (token === undefined || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    const fix = 'paste the token as `scopegate doctor --open` prints it'
    return { text: 'there is no token in the form, or more than one', fix }
  }
  return token
}

function answer(status: number, page: string): Response {
  return new Response(page, {
    status,
    headers: { ...PAGE_HEADERS, ...NO_STORE, 'Content-Type': 'text/html; charset=utf-8' },
  })
}
