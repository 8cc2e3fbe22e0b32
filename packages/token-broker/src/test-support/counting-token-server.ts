import { randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from './until.ts'

export interface TokenServerOptions {
  readonly lifeSeconds: number
  /** Before it answers. */
  readonly delayMs?: number
  /** The first refresh token: each answer brings another one, and using one twice ends all. */
  readonly refreshToken?: string
}

export interface CountingTokenServer {
  readonly url: string
  /** When requests came and what they were answered, in their order. */
  readonly requests: readonly { readonly atMs: number; status: number | undefined }[]
  readonly inFlight: { now: number; most: number }
  /** When a token was issued, by the token. */
  readonly issuedMs: ReadonlyMap<string, number>
  /** Requests from now on get no answer. */
  hang(): void
  goOn(): void
  /** Resolves when that many requests have come. */
  came(count: number): Promise<void>
  close(): Promise<void>
}

/** A token endpoint on loopback that counts, for brokers in other processes. */
export async function openCountingTokenServer(
  options: TokenServerOptions,
): Promise<CountingTokenServer> {
  const requests: { atMs: number; status: number | undefined }[] = []
  const inFlight = { now: 0, most: 0 }
  const issuedMs = new Map<string, number>()
  let current = options.refreshToken
  let isRevoked = false
  let hangs = false

  const server = createServer(async (request, response) => {
    const seen: { atMs: number; status: number | undefined } = {
      atMs: Date.now(),
      status: undefined,
    }
    requests.push(seen)
    inFlight.now += 1
    inFlight.most = Math.max(inFlight.most, inFlight.now)
    response.on('close', () => {
      inFlight.now -= 1
    })
    let body = ''
    for await (const chunk of request) body += chunk
    if (hangs) return
    await sleep(options.delayMs ?? 0)
    seen.status = answer(new URLSearchParams(body), response)
  })

  function answer(form: URLSearchParams, response: ServerResponse): number {
    if (current !== undefined && (isRevoked || form.get('refresh_token') !== current)) {
      isRevoked = true
      const text = { error: 'invalid_grant', error_description: 'refresh token was used before' }
      return send(response, 400, text)
    }
    const accessToken = randomUUID()
    issuedMs.set(accessToken, Date.now())
    if (current !== undefined) current = randomUUID()
    return send(response, 200, {
      ...{ access_token: accessToken, token_type: 'Bearer', expires_in: options.lifeSeconds },
      ...(current !== undefined && { refresh_token: current }),
    })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/token`,
    ...{ requests, inFlight, issuedMs },
    hang() {
      hangs = true
    },
    goOn() {
      hangs = false
    },
    came: (count) => until(() => requests.length >= count),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function send(response: ServerResponse, status: number, body: object): number {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(body))
  return status
}
