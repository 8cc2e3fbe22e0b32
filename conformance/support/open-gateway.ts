import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import {
  type ApiDeclaration,
  type ApiRoute,
  compileApi,
  createApiGateway,
} from '@scopegate/api-gateway'
import type { Trace } from '@scopegate/audit'
import { createNodeServer, type Fault } from '@scopegate/http'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import {
  createTokenVerifier,
  createUsedProofs,
  type KeySource,
  KeysUnavailable,
  keysFromSet,
  rfc9068Issuer,
} from '@scopegate/token-verify'

export interface GatewayOptions {
  readonly upstream: string
  readonly routes?: readonly Partial<ApiRoute>[]
  readonly declaration?: Partial<ApiDeclaration>
  readonly limits?: ApiDeclaration['limits']
  readonly server?: { readonly headersTimeoutMs?: number; readonly bodyTimeoutMs?: number }
  readonly trustedProxies?: readonly string[]
  /** Takes tokens that are bound to a key. */
  readonly dpop?: true
  /** Instead of those of the lab issuer. */
  readonly keys?: KeySource
}

/** The data plane alone: no database, tokens of a lab issuer, one API at `/api`. */
export interface TestGateway {
  readonly url: string
  readonly port: number
  readonly server: Server
  readonly traces: Trace[]
  readonly faults: Fault[]
  readonly errors: unknown[]
  token(scope?: string, seconds?: number, claims?: object): string
  /** Says which requests are served; by default all of them, to whoever has a token. */
  fetch(path: string, init?: RequestInit & { token?: string | null }): Promise<Response>
  /** Sends bytes as they are. @returns everything that came until the connection was closed */
  raw(text: string): Promise<string>
  open(): Socket
  revoked: boolean
  /** The keys of the lab issuer cannot be had, and none of them is remembered. */
  outage: boolean
  close(): Promise<void>
}

const ISSUER = 'https://idp.example'
const lab = createLabIssuer({ issuer: ISSUER, keys: [createLabKey('ES256')] })

export async function openGateway(options: GatewayOptions): Promise<TestGateway> {
  const traces: Trace[] = []
  const faults: Fault[] = []
  const errors: unknown[] = []
  const url = 'http://gateway.example'
  const routes = options.routes ?? [{ path: '/*' }]
  const api = compileApi(
    {
      name: 'api',
      path: '/api',
      upstream: options.upstream,
      keepPath: false,
      auth: {
        mode: 'bearer',
        schemes: ['oauth2'],
        issuers: [ISSUER],
        audiences: [],
        requiredScopes: [],
        username: 'sub',
        roles: { from: 'scope', prefix: '' },
        basicScopes: [],
      },
      routes: routes.map((route) => ({
        path: '/*',
        methods: [],
        public: false,
        scopes: [],
        roles: [],
        ...route,
      })),
      forward: { headers: { 'X-User': 'username' }, authorization: 'strip' },
      ...options.declaration,
      ...(options.limits && { limits: options.limits }),
    },
    url,
  )
  const gateway: TestGateway = {
    ...{ traces, faults, errors },
    url: '',
    port: 0,
    server: undefined as unknown as Server,
    revoked: false,
    outage: false,
    token: (scope = 'read', seconds = 300, claims = {}) =>
      lab.mintToken({
        ...{ audience: `${url}/api`, scope, expiresInSeconds: seconds },
        claims: { ...claims },
      }),
    fetch: (path, { token, ...init } = {}) =>
      fetch(`${gateway.url}${path}`, {
        ...init,
        headers: {
          ...(token !== null && { authorization: `Bearer ${token ?? gateway.token()}` }),
          ...init.headers,
        },
      }),
    open: () => connect(gateway.port, '127.0.0.1'),
    raw: (text) =>
      new Promise((resolve, reject) => {
        const socket = gateway.open()
        let got = ''
        socket.setEncoding('latin1').on('data', (chunk) => {
          got += chunk
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(got))
        socket.write(text, 'latin1')
      }),
    close: async () => undefined,
  }
  const held = keysFromSet(lab.keySet)
  const keys: KeySource = {
    ...held,
    holds: (key) => !gateway.outage && held.holds(key),
    async find(alg, kid) {
      if (gateway.outage) throw new KeysUnavailable('the issuer does not answer')
      return held.find(alg, kid)
    },
  }
  const plane = createApiGateway({
    apis: [api],
    url,
    verifier: createTokenVerifier({
      issuers: [rfc9068Issuer(ISSUER, options.keys ?? keys)],
      clockToleranceSeconds: 0,
      now: () => Math.floor(Date.now() / 1000),
      isRevoked: () => gateway.revoked,
      ...(options.dpop && { dpop: { usedProofs: createUsedProofs(Date.now) } }),
    }),
    traces: { record: (_outcome, make) => void traces.push(make()) },
    onError: (error) => void errors.push(error),
    ...(options.trustedProxies && {
      isTrustedProxy: (address: string) => options.trustedProxies!.includes(address),
    }),
  })
  const server = createNodeServer({
    handler: async () => new Response('not an API', { status: 404 }),
    nodeRoutes: [{ path: '/api/*', handle: plane.node, upgrade: plane.upgrade, streams: true }],
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 0,
    drainMs: 100,
    onFault: (fault) => void faults.push(fault),
    ...options.server,
  })
  const { port } = await server.listen()
  return Object.assign(gateway, {
    port,
    server: server.server,
    url: `http://127.0.0.1:${port}`,
    async close() {
      await plane.close()
      await server.close()
    },
  })
}
