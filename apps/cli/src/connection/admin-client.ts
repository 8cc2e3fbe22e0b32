import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { readCredential, type ServerCredential } from './credentials.ts'
import { trustCa } from './trust-ca.ts'

/** A running server's admin API, reached with the credential that `up` left for this user. */
export interface AdminClient {
  readonly url: string
  /** Of the admin API, which may have a listener of its own. */
  readonly adminUrl: string
  readonly tokenUrl: string
  /** The access token in use: short-lived, with the scope asked for. Never for a log. */
  readonly token: string
  /** The certificate of the server's local CA, if it has one. */
  readonly caFile?: string
  /** @throws {CliError} when the answer is not a success; the problem's text is shown. */
  call<Answer>(method: string, path: string, body?: unknown): Promise<Answer>
  /** A POST whose answer is bytes. @throws {CliError} */
  download(path: string): Promise<ReadableStream<Uint8Array>>
  /** The data of server-sent events, as they come, until the server ends them. @throws {CliError} */
  events(path: string, signal: AbortSignal): AsyncIterable<string>
  /** A request whose body and answer both stream. */
  stream(path: string, contentType: string): Promise<AdminStream>
}

export interface AdminStream {
  /** Resolves when there is room for more. */
  write(chunk: Uint8Array): Promise<void>
  end(): void
  /** The answer, once its headers are there. */
  readonly answer: Promise<IncomingMessage>
}

/** Finds the server and gets a token for it. @throws {CliError} */
export async function connectAdmin(
  context: CliContext,
  wantedUrl: string | undefined,
  scope: string,
): Promise<AdminClient> {
  const { url, credential } = readCredential(context.environment, wantedUrl)
  if (credential.caFile !== undefined) trustCa(credential.caFile)
  const token = await fetchToken(url, credential, scope)
  const authorization = `Bearer ${token}`
  // What does not answer is told by its own address.
  const at = credential.adminUrl.replace(/\/admin\/api$/, '')
  return {
    url,
    adminUrl: credential.adminUrl,
    tokenUrl: credential.tokenUrl,
    token,
    ...(credential.caFile !== undefined && { caFile: credential.caFile }),
    async call<Answer>(method: string, path: string, body?: unknown) {
      const response = await reach(at, () =>
        fetch(`${credential.adminUrl}${path}`, {
          method,
          headers: {
            authorization,
            accept: 'application/json',
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      )
      const text = await response.text()
      if (!response.ok) throw problem(at, response.status, text)
      return JSON.parse(text) as Answer
    },
    async download(path) {
      const response = await reach(at, () =>
        fetch(`${credential.adminUrl}${path}`, { method: 'POST', headers: { authorization } }),
      )
      if (!response.ok) throw problem(at, response.status, await response.text())
      return response.body ?? new ReadableStream()
    },
    async *events(path, signal) {
      const response = await reach(at, () =>
        fetch(`${credential.adminUrl}${path}`, {
          headers: { authorization, accept: 'text/event-stream' },
          signal,
        }),
      )
      if (!response.ok) throw problem(at, response.status, await response.text())
      let text = ''
      try {
        for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
          text += chunk
          const events = text.split('\n\n')
          text = events.pop() ?? ''
          for (const event of events) {
            const data = event.split('\n').flatMap((line) => /^data: (.*)$/.exec(line)?.[1] ?? [])
            if (data.length > 0) yield data.join('\n')
          }
        }
      } catch (error) {
        if (!signal.aborted) throw unreachable(at, error)
      }
    },
    async stream(path, contentType) {
      const target = new URL(`${credential.adminUrl}${path}`)
      const send = target.protocol === 'https:' ? httpsRequest : httpRequest
      const request = send(target, {
        method: 'POST',
        headers: { authorization, 'content-type': contentType, 'transfer-encoding': 'chunked' },
      })
      const answer = new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve)
        request.once('error', (error) => reject(unreachable(at, error)))
      })
      answer.catch(() => undefined)
      return {
        answer,
        write(chunk) {
          return new Promise((resolve, reject) => {
            if (request.destroyed) return reject(unreachable(at, request.errored))
            if (request.write(chunk)) return resolve()
            const settle = () => {
              request.off('drain', settle)
              request.off('close', settle)
              if (request.destroyed) reject(unreachable(at, request.errored))
              else resolve()
            }
            request.once('drain', settle)
            request.once('close', settle)
          })
        },
        end: () => void request.end(),
      }
    },
  }
}

async function fetchToken(
  url: string,
  { clientId, clientSecret, tokenUrl, adminUrl }: ServerCredential,
  scope: string,
): Promise<string> {
  const response = await reach(url, () =>
    fetch(tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        accept: 'application/json',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: adminUrl }),
    }),
  )
  const text = await response.text()
  if (response.ok) return (JSON.parse(text) as { access_token: string }).access_token
  if (response.status === 401) {
    throw new CliError(`the server at ${url} does not know this user's credential`, {
      why: 'its data directory was replaced, or it was started by someone else since',
      fix: 'start it again with `scopegate up` as this user',
    })
  }
  throw problem(url, response.status, text)
}

async function reach(url: string, send: () => Promise<Response>): Promise<Response> {
  try {
    return await send()
  } catch (error) {
    throw unreachable(url, error)
  }
}

function unreachable(url: string, error: unknown): CliError {
  const cause = (error as { cause?: { code?: string } } | null)?.cause
  const code = cause?.code ?? (error as NodeJS.ErrnoException | null)?.code
  if (typeof code === 'string' && /CERT|ISSUER|ALTNAME|SSL|TLS/.test(code)) {
    return new CliError(`the certificate of ${url} is not trusted`, {
      why: code,
      fix: 'start the server again with `scopegate up` as this user, or name its CA: NODE_EXTRA_CA_CERTS=ca.crt',
    })
  }
  return new CliError(`no answer from ${url}`, {
    why: code === 'ECONNREFUSED' ? 'nothing listens there' : (code ?? 'the connection broke off'),
    fix: 'is the server running? start it with `scopegate up`, or name another with --url',
  })
}

function problem(url: string, status: number, text: string): CliError {
  let body: Record<string, unknown> = {}
  try {
    body = JSON.parse(text)
  } catch {
    // Not ours: the status has to do.
  }
  const why = body.detail ?? body.error_description ?? body.error
  const id = typeof body.correlationId === 'string' ? ` (correlation id ${body.correlationId})` : ''
  return new CliError(typeof why === 'string' ? why : `the server answered ${status}`, {
    where: `${url}, status ${status}${id}`,
    fix: typeof body.fix === 'string' ? body.fix : undefined,
  })
}
