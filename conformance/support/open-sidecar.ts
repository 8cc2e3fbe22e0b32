import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Trace } from '@scopegate/audit'
import { createNodeServer, type Fault } from '@scopegate/http'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import {
  type ConnectionToken,
  type TokenFailure,
  type TokenSource,
  TokenUnavailable,
} from '@scopegate/oauth-model'
import { createSidecar, type SidecarConnection, type SidecarDeps } from '@scopegate/token-broker'
import { createTokenVerifier, keysFromSet, rfc9068Issuer } from '@scopegate/token-verify'

/** A provider in a few lines: counts what it gives out, and fails when told so. */
export interface TestTokens extends TokenSource {
  /** How many tokens were got. */
  fetched: number
  /** The one that is handed out now. */
  current: string
  /** Instead of a token. */
  failure: TokenFailure | undefined
  /** How the next ones look. */
  make: (index: number) => string
  /** Headers instead of `authorization: Bearer …`. */
  headersOf: ConnectionToken['headers'] | undefined
  readonly rejected: string[]
}

export function createTestTokens(): TestTokens {
  let renewal: Promise<void> | undefined
  const tokens: TestTokens = {
    fetched: 1,
    current: 'token-1',
    failure: undefined,
    make: (index) => `token-${index}`,
    headersOf: undefined,
    rejected: [],
    async getToken(connection) {
      await renewal
      if (tokens.failure !== undefined) {
        throw new TokenUnavailable(connection, tokens.failure, Math.floor(Date.now() / 1000) + 30)
      }
      const { current, headersOf } = tokens
      return {
        accessToken: current,
        type: 'Bearer',
        expiresAt: Math.floor(Date.now() / 1000) + 300,
        scopes: ['system/*.rs'],
        fingerprint: `print-of-${current.slice(0, 40)}`,
        warnings: [],
        headers: headersOf ?? (async () => ({ authorization: `Bearer ${current}` })),
      }
    },
    async reject(_connection, { accessToken }) {
      tokens.rejected.push(accessToken)
      if (accessToken !== tokens.current || renewal !== undefined) return
      renewal = new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => {
        tokens.fetched += 1
        tokens.current = tokens.make(tokens.fetched)
        renewal = undefined
      })
    },
  }
  return tokens
}

export interface SidecarOptions {
  readonly upstream: string
  readonly connection?: Partial<SidecarConnection>
  readonly more?: readonly SidecarConnection[]
  readonly reach?: SidecarDeps['reach']
  readonly callersOnLoopback?: SidecarDeps['callersOnLoopback']
}

/** The sidecar alone, with one connection `lab`: no database, no provider. */
export interface TestSidecar {
  readonly url: string
  readonly port: number
  readonly tokens: TestTokens
  readonly traces: Trace[]
  readonly faults: Fault[]
  readonly errors: unknown[]
  readonly answered: { request: IncomingMessage; status: number }[]
  /** A token of this server for a caller. */
  callerToken(claims?: {
    clientId?: string
    audience?: string
    scope?: string
    seconds?: number
  }): string
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Sends bytes as they are. @returns everything that came until the connection was closed */
  raw(text: string): Promise<string>
  open(): Socket
  close(): Promise<void>
}

const URL_OF_SERVER = 'https://gate.example'
const lab = createLabIssuer({ issuer: URL_OF_SERVER, keys: [createLabKey('ES256')] })

export async function openSidecar(options: SidecarOptions): Promise<TestSidecar> {
  const traces: Trace[] = []
  const faults: Fault[] = []
  const errors: unknown[] = []
  const answered: TestSidecar['answered'] = []
  const tokens = createTestTokens()
  const sidecar = createSidecar({
    tokens,
    connections: [
      {
        name: 'lab',
        preset: 'generic',
        clientId: 'lab-reader',
        upstream: options.upstream,
        callers: ['app-lab'],
        ...options.connection,
      },
      ...(options.more ?? []),
    ],
    url: URL_OF_SERVER,
    reach: options.reach ?? 'loopback',
    ...(options.callersOnLoopback && { callersOnLoopback: options.callersOnLoopback }),
    verifier: createTokenVerifier({
      issuers: [rfc9068Issuer(URL_OF_SERVER, keysFromSet(lab.keySet))],
      clockToleranceSeconds: 0,
      now: () => Math.floor(Date.now() / 1000),
    }),
    traces: { record: (_outcome, make) => void traces.push(make()) },
    onError: (error) => void errors.push(error),
    onAnswered: (request, status) => void answered.push({ request, status }),
  })
  const server = createNodeServer({
    handler: async () => new Response('not the sidecar', { status: 404 }),
    nodeRoutes: sidecar.routes.map((path) => ({
      ...{ path, handle: sidecar.node, upgrade: sidecar.upgrade, streams: true },
    })),
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 0,
    drainMs: 100,
    onFault: (fault) => void faults.push(fault),
  })
  const { port } = await server.listen()
  const url = `http://127.0.0.1:${port}`
  const open = () => connect(port, '127.0.0.1')
  return {
    ...{ url, port, tokens, traces, faults, errors, answered, open },
    callerToken: ({ clientId = 'app-lab', audience, scope = 'connections.use', seconds } = {}) =>
      lab.mintToken({
        ...{ clientId, subject: clientId, scope },
        audience: audience ?? `${URL_OF_SERVER}/out/lab`,
        expiresInSeconds: seconds ?? 300,
      }),
    fetch: (path, init) => fetch(`${url}${path}`, { redirect: 'manual', ...init }),
    raw: (text) =>
      new Promise((resolve, reject) => {
        const socket = open()
        let got = ''
        socket.setEncoding('latin1').on('data', (chunk) => {
          got += chunk
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(got))
        socket.write(text, 'latin1')
      }),
    async close() {
      await sidecar.close()
      await server.close()
    },
  }
}
