import { CliError } from '../cli-error.ts'
import type { Exchange, Header, LessonStep } from './exchange.ts'
import { createMask, secretsOfForm, secretsOfHeader, secretsOfJson } from './mask.ts'
import { readTitle } from './page-forms.ts'

/** A request of a lesson, with what it is for. */
export interface TaughtRequest {
  readonly title: string
  readonly why: string
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>> | URLSearchParams
  readonly json?: unknown
  /** The statuses that the lesson goes on with; another ends it. */
  readonly expect: number | readonly number[]
  /** The members of the answer that matter here; the others are counted. */
  readonly show?: readonly string[]
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers have every shape
  readonly json: any
}

/** Carries a lesson out: sends each request, and tells each step with its secrets masked. */
export interface Teacher {
  send(request: TaughtRequest): Promise<Answered>
  /** A step that an app does by itself. */
  tell(step: Pick<LessonStep, 'title' | 'why' | 'facts'>): void
  /** Nothing of what is done inside is told: preparation, or what another lesson tells. */
  quietly<T>(work: () => Promise<T>): Promise<T>
  /** Never shown from now on. */
  hide(secret: string): void
}

const MAX_BODY_LINES = 40
const SHOWN_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  ...['content-type', 'location', 'set-cookie', 'cache-control', 'www-authenticate'],
  ...['dpop-nonce', 'retry-after', 'x-request-id'],
])

export function createTeacher(onStep: (step: LessonStep) => void): Teacher {
  const mask = createMask()
  let told = 0
  let quiet = 0

  function step(content: Omit<LessonStep, 'number'>): void {
    if (quiet === 0) onStep({ number: ++told, ...content })
  }

  return {
    hide: (secret) => mask.add(secret),
    tell({ title, why, facts = [] }) {
      const shown = facts.map(({ name, value }) => ({ name, value: mask.apply(value) }))
      step({ title, why, ...(shown.length > 0 && { facts: shown }) })
    },
    async quietly(work) {
      quiet += 1
      try {
        return await work()
      } finally {
        quiet -= 1
      }
    },
    async send(request) {
      const { title, why } = request
      const expected = [request.expect].flat()
      const { method, headers, body } = written(request)
      const response = await fetch(request.url, {
        method,
        headers: [...headers] as [string, string][],
        redirect: 'manual',
        ...(body !== undefined && { body }),
      })
      const text = await response.text()
      const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
      const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
      const answered = [...response.headers]
      for (const [name, value] of [...headers, ...answered]) {
        for (const secret of secretsOfHeader(name, value)) mask.add(secret)
      }
      const query = new URL(request.url).searchParams
      const form = new URLSearchParams(request.form)
      for (const secret of [...secretsOfForm(query), ...secretsOfForm(form)]) mask.add(secret)
      for (const secret of secretsOfJson(json)) mask.add(secret)

      const exchange: Exchange = {
        request: {
          method,
          url: mask.apply(request.url),
          headers: headers.map(([name, value]) => [name, mask.apply(value)]),
          ...(body !== undefined && { body: mask.apply(shownRequestBody(request, body)) }),
        },
        response: {
          status: response.status,
          statusText: response.statusText,
          headers: answered
            .filter(([name]) => SHOWN_RESPONSE_HEADERS.has(name))
            .map(([name, value]) => [name, mask.apply(value)]),
          ...(text !== '' &&
            !response.headers.has('location') && {
              body: mask.apply(shownBody(text, json, request.show)),
            }),
        },
      }
      step({ title, why, exchange })
      if (!expected.includes(response.status)) throw unexpected(request, response.status, exchange)
      return { status: response.status, headers: response.headers, text, json }
    },
  }
}

function written(request: TaughtRequest): {
  readonly method: string
  readonly headers: readonly Header[]
  readonly body?: string
} {
  const { form, json } = request
  const body =
    form !== undefined
      ? new URLSearchParams(form).toString()
      : json !== undefined
        ? JSON.stringify(json)
        : undefined
  const type = form !== undefined ? 'application/x-www-form-urlencoded' : 'application/json'
  return {
    method: request.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: [
      ...Object.entries(request.headers ?? {}),
      ...(body === undefined ? [] : [['Content-Type', type] as const]),
    ],
    ...(body !== undefined && { body }),
  }
}

/** A form with one parameter per line, decoded: as sent nobody could read it. */
function shownRequestBody({ form, json }: TaughtRequest, body: string): string {
  if (json !== undefined) return JSON.stringify(json, null, 2)
  if (form === undefined) return body
  return [...new URLSearchParams(body)].map(([name, value]) => `${name}=${value}`).join('\n')
}

function shownBody(text: string, json: unknown, show: readonly string[] | undefined): string {
  if (json === undefined) return readTitle(text) ?? `(${text.length} characters)`
  const members = json as Record<string, unknown>
  if (show === undefined) return cut(JSON.stringify(json, null, 2))
  const picked = Object.fromEntries(show.filter((n) => n in members).map((n) => [n, members[n]]))
  const others = Object.keys(members).length - Object.keys(picked).length
  const rest = others === 0 ? '' : `\n(${others} more member${others === 1 ? '' : 's'})`
  return cut(JSON.stringify(picked, null, 2)) + rest
}

function cut(text: string): string {
  const lines = text.split('\n')
  if (lines.length <= MAX_BODY_LINES) return text
  const left = lines.length - MAX_BODY_LINES
  return [...lines.slice(0, MAX_BODY_LINES), `(${left} more lines)`].join('\n')
}

function unexpected(request: TaughtRequest, status: number, exchange: Exchange): CliError {
  return new CliError(
    `the lesson cannot go on: ${status} instead of ${[request.expect].flat().join(' or ')}`,
    {
      where: `${exchange.request.method} ${exchange.request.url}`,
      why: exchange.response.body?.slice(0, 500),
      fix: 'scopegate traces --outcome refused shows what the server refused, and why',
    },
  )
}
