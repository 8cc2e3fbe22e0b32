import { connect } from 'node:net'
import type { Harness, TokenWish } from './harness.ts'

/** An answer, read. `json` is `undefined` for an empty body. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into many kinds of JSON
  readonly json: any
}

export interface Words {
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as `application/fhir+json`, text as it is (with that type too). */
  readonly body?: unknown
}

/** Sends `GET Observation/O1` and the like, with the token that it was made for. */
export type FhirCaller = (request: string, words?: Words) => Promise<Answer>

/** Everything a system can be granted. */
export const EVERYTHING: TokenWish = { scope: 'system/*.cruds' }

/** A caller with one token; without a wish, one without any. */
export async function callerOf(
  harness: Pick<Harness, 'baseUrl' | 'mint'>,
  wish?: TokenWish,
): Promise<FhirCaller> {
  const token = wish === undefined ? undefined : await harness.mint(wish)
  return async (request, { headers = {}, body } = {}) => {
    const space = request.indexOf(' ')
    const path = request.slice(space + 1)
    const response = await fetch(path.startsWith('http') ? path : `${harness.baseUrl}/${path}`, {
      method: request.slice(0, space),
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' ? undefined : JSON.parse(text),
    }
  }
}

/** `Type/id` of every entry that has a resource, in order. */
export function idsOf(answer: Answer, mode?: 'match' | 'include'): readonly string[] {
  const entries: readonly {
    resource?: { resourceType: string; id: string }
    search?: { mode: string }
  }[] = answer.json.entry ?? []
  return entries
    .filter(
      ({ resource, search }) => resource !== undefined && (mode ?? search?.mode) === search?.mode,
    )
    .map(({ resource }) => `${resource!.resourceType}/${resource!.id}`)
}

/** Address of a link of a Bundle, if there is one. */
export function linkOf(answer: Answer, relation: 'self' | 'next'): string | undefined {
  const links: readonly { relation: string; url: string }[] = answer.json.link ?? []
  return links.find((link) => link.relation === relation)?.url
}

/**
 * Sends these lines as they are, over a connection of their own: for what a well-behaved client
 * would not send. A request must ask for `Connection: close`.
 */
export function sendRaw(baseUrl: string, text: string): Promise<Answer> {
  const { hostname, port } = new URL(baseUrl)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => socket.write(text))
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer within 20 s')))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => {
      socket.end()
      try {
        resolve(readAnswer(Buffer.concat(chunks).toString('utf8')))
      } catch (error) {
        reject(error)
      }
    })
  })
}

function readAnswer(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
  const rest = text.slice(end + 4)
  const body = headers.get('transfer-encoding') === 'chunked' ? dechunk(rest) : rest
  return {
    status: Number(first.split(' ')[1]),
    headers,
    text: body,
    json: body === '' ? undefined : JSON.parse(body),
  }
}

function dechunk(text: string): string {
  let whole = ''
  let rest = text
  for (;;) {
    const line = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, line), 16)
    if (!(size > 0)) return whole
    whole += rest.slice(line + 2, line + 2 + size)
    rest = rest.slice(line + 2 + size + 2)
  }
}
