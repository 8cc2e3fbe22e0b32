import { createServer } from 'node:http'
import { compileApi, createApiGateway } from '@scopegate/api-gateway'
import { createTraceStore } from '@scopegate/audit'
import { createNodeServer } from '@scopegate/http'
import { createTokenVerifier, keysFromSet, rfc9068Issuer } from '@scopegate/token-verify'
import { type Dispatcher, Pool } from 'undici'

/**
 * One of the programs that are compared, in a process of its own: the API behind, the least that a
 * proxy of undici can be, and the gateway. Reads the job as JSON from stdin, prints its port.
 */
export interface GatewayJob {
  readonly what: 'upstream' | 'proxy' | 'gateway'
  readonly upstream?: string
  readonly issuer?: string
  readonly keySet?: { readonly keys: readonly object[] }
  /** `off`: nothing is recorded. `cold`: every token is verified anew. */
  readonly trace?: 'on' | 'off'
  readonly cache?: 'hot' | 'cold'
}

/** What `upstream` answers below `/large`. */
export const LARGE_BYTES = 10 * 1024 * 1024
const JSON_BODY = Buffer.from(
  JSON.stringify({ resourceType: 'Observation', text: 'x'.repeat(260) }),
)

if (import.meta.main) {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  console.log(await start(JSON.parse(text) as GatewayJob))
}

async function start(job: GatewayJob): Promise<number> {
  if (job.what === 'gateway') return startGateway(job)
  const server = job.what === 'upstream' ? upstream() : proxy(job.upstream ?? '')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

function upstream() {
  const large = Buffer.alloc(LARGE_BYTES)
  return createServer((request, response) => {
    const body = request.url?.startsWith('/large') ? large : JSON_BODY
    const answer = () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': body.length,
      })
      response.end(body)
    }
    if (request.method === 'GET') answer()
    else request.resume().once('end', answer)
  })
}

/** Passes on what comes: no rule, no check, no record. */
function proxy(origin: string) {
  const pool = new Pool(origin, { connections: 32, pipelining: 1 })
  return createServer((request, response) => {
    pool.dispatch(
      {
        path: request.url ?? '',
        method: request.method as Dispatcher.HttpMethod,
        headers: { accept: request.headers.accept, authorization: request.headers.authorization },
      },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, { connection, ...headers }) {
          delete headers['keep-alive']
          response.writeHead(status, headers)
        },
        onResponseData(controller, chunk) {
          if (response.write(chunk)) return
          controller.pause()
          response.once('drain', () => controller.resume())
        },
        onResponseEnd() {
          response.end()
        },
        onResponseError() {
          response.destroy()
        },
      },
    )
  })
}

async function startGateway(job: GatewayJob): Promise<number> {
  const { issuer = '', keySet = { keys: [] }, upstream: at = '' } = job
  const url = 'http://gateway.example'
  const routes = Array.from({ length: 100 }, (_, index) => route(`/thing-${index}/{id}`))
  const compile = (name: string) =>
    compileApi(
      {
        name,
        path: `/${name}`,
        upstream: at,
        keepPath: false,
        auth: {
          mode: 'bearer',
          schemes: ['oauth2'],
          issuers: [issuer],
          audiences: [],
          requiredScopes: ['api'],
          username: 'sub',
          roles: { from: 'scope', prefix: '' },
          basicScopes: [],
        },
        routes: [...routes, route('/json'), route('/large'), route('/upload')],
        forward: {
          headers: { 'X-User': 'username', 'X-Scopes': 'scopes' },
          authorization: 'strip',
        },
      },
      url,
    )
  const keys = keysFromSet(keySet as Parameters<typeof keysFromSet>[0])
  const forgetful = { ...keys, holds: () => false }
  const traces = createTraceStore({
    // What the database takes is not the cost of this process.
    pool: { query: async () => ({ rows: [] }) } as unknown as Parameters<
      typeof createTraceStore
    >[0]['pool'],
  })
  const gateway = createApiGateway({
    apis: [compile('api'), compile('slow')],
    onError: (error) => console.error(error),
    url,
    verifier: createTokenVerifier({
      issuers: [rfc9068Issuer(issuer, job.cache === 'cold' ? forgetful : keys)],
      clockToleranceSeconds: 30,
      now: () => Math.floor(Date.now() / 1000),
      isRevoked: () => false,
    }),
    traces: job.trace === 'off' ? { record: () => undefined } : traces,
  })
  const server = createNodeServer({
    handler: async () => new Response(null, { status: 404 }),
    nodeRoutes: ['/api/*', '/slow/*'].map((path) => ({
      path,
      handle: gateway.node,
      streams: true,
    })),
    host: '127.0.0.1',
    port: 0,
  })
  return (await server.listen()).port
}

function route(path: string) {
  return { path, methods: ['GET', 'POST'], public: false, scopes: ['read'], roles: [] }
}
