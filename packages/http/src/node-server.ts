import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { answerFault, checkRequest, type Fault, type FaultForm } from './check-request.ts'
import { type ClientCertificateSource, rememberClientCertificate } from './client-certificate.ts'
import { newCorrelationId } from './correlation-id.ts'
import type { Handler } from './handler.ts'
import { createLastAnswers } from './last-answers.ts'
import { refuseListenAddress } from './listen-address.ts'
import { currentRoutes, type NodeRoute, pathOf, pathTest } from './node-routes.ts'
import { problemResponse } from './problem.ts'
import { rememberIncoming } from './request-facts.ts'
import { checkRequestTarget } from './request-target.ts'
import { STRICT_TRANSPORT } from './security-headers.ts'
import { watchUploads } from './watch-uploads.ts'

export interface NodeServerOptions {
  readonly handler: Handler
  /**
   * Looked at before `handler`; the first that fits. A function is asked at every request: another
   * list that it gives is in force at once.
   */
  readonly nodeRoutes?: readonly NodeRoute[] | (() => readonly NodeRoute[])
  /** The first that fits the address as it was sent; `application/problem+json` elsewhere. */
  readonly faultForms?: readonly FaultForm[]
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Where certificates of clients are known from; missing: nobody asks for any. */
  readonly clientCertificates?: ClientCertificateSource
  readonly behindTlsProxy?: boolean
  /**
   * Whether browsers are told to use https only (RFC 6797). Default: with TLS. A name that other
   * programs serve without TLS, such as localhost, must not be: the promise holds for all ports.
   */
  readonly strictTransport?: boolean
  /** The request line and headers must be in by then. */
  readonly headersTimeoutMs?: number
  /** The whole request must be in by then; 0 for never (streamed imports set their own). */
  readonly requestTimeoutMs?: number
  /** The body must be in by then, counted from the headers; not of `slowUploads`. */
  readonly bodyTimeoutMs?: number
  /** Paths whose bodies may take as long as `requestTimeoutMs` lets them. */
  readonly slowUploads?: readonly string[]
  readonly keepAliveTimeoutMs?: number
  readonly maxHeaderBytes?: number
  /** After that many, a connection is closed, so that load spreads over new processes. */
  readonly maxRequestsPerSocket?: number
  readonly maxConnections?: number
  /** Requests still running are cut off after that long on `close()`. */
  readonly drainMs?: number
  readonly onError?: (error: unknown) => void
  /** A request was refused before any route saw it. */
  readonly onFault?: (fault: Fault, method: string) => void
}

export interface NodeServer {
  /** Starts listening. @throws Error naming the address when it is taken or refused */
  listen(): Promise<{ readonly host: string; readonly port: number }>
  /** Takes no new request, lets running ones end within `drainMs`, then cuts them off. Repeatable. */
  close(): Promise<void>
  readonly server: Server
}

/**
 * The one HTTP server of the process. It refuses what would be read in two ways (repeated
 * `Host`, absolute or dotted request targets), bounds headers and time, and hands everything else
 * on unchanged. Does not authenticate.
 */
export function createNodeServer(options: NodeServerOptions): NodeServer {
  const nodeRoutes = currentRoutes(options.nodeRoutes ?? [])
  const faultForms = (options.faultForms ?? []).map((form) => ({
    form,
    fits: pathTest(form.path),
  }))
  const certificates = options.clientCertificates
  const onError = options.onError ?? (() => undefined)
  const strictTransport =
    options.strictTransport ?? (options.tls !== undefined || options.behindTlsProxy === true)
  const drainMs = options.drainMs ?? 10_000
  const bodyTimeoutMs = options.bodyTimeoutMs ?? 60_000
  const slowUploads = new Set(options.slowUploads)
  let closing: Promise<void> | undefined
  const running = new Set<ServerResponse>()
  const tunnels = new Set<Duplex>()
  const lastAnswers = createLastAnswers()
  const uploads = watchUploads(options.bodyTimeoutMs ?? 60_000)

  const listener = getRequestListener(
    async (request, bindings) => {
      rememberIncoming(request, bindings.incoming as IncomingMessage)
      try {
        return await options.handler(request)
      } catch (error) {
        onError(error)
        return problemResponse(request, { status: 500, detail: 'The server made a mistake.' })
      }
    },
    {
      errorHandler: (error) => {
        if (!(error instanceof Error && error.name === 'RequestError')) onError(error)
        return problemResponse(undefined, { status: 400, detail: 'The request cannot be read.' })
      },
    },
  )

  function dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue = false,
  ): void {
    if (lastAnswers.isOver(request.socket)) return
    lastAnswers.remember(request.socket, response)
    if (strictTransport) {
      response.setHeader('Strict-Transport-Security', STRICT_TRANSPORT)
    }
    if (closing !== undefined) response.setHeader('Connection', 'close')
    running.add(response)
    response.once('close', () => running.delete(response))
    if (certificates !== undefined) rememberClientCertificate(request, certificates)
    const refusal = checkRequest(request)
    const nodeRoute =
      refusal === undefined
        ? nodeRoutes().find((route) => route.fits(pathOf(request.url!)))
        : undefined
    if (expectsContinue && refusal === undefined && nodeRoute?.streams !== true) {
      response.writeContinue()
    }
    if (refusal !== undefined) {
      const fault = { ...refusal, correlationId: newCorrelationId(Date.now()) }
      const path = pathOf(request.url ?? '')
      answerFault(response, fault, faultForms.find(({ fits }) => fits(path))?.form)
      options.onFault?.(fault, request.method ?? '')
      return
    }
    if (nodeRoute?.streams === true) uploads.watch(request)
    else if (!slowUploads.has(pathOf(request.url!))) limitBody(request, bodyTimeoutMs)
    if (nodeRoute === undefined) listener(request, response).catch(onError)
    else nodeRoute.handle(request, response)
  }

  function upgradeRouteOf(request: IncomingMessage) {
    const target = checkRequestTarget(request.url ?? '')
    if (!target.ok) return undefined
    const path = pathOf(target.originForm)
    return nodeRoutes().find(({ upgrade, fits }) => upgrade !== undefined && fits(path))
  }

  const serverOptions = {
    maxHeaderSize: options.maxHeaderBytes ?? 32 * 1024,
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 60_000,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
    connectionsCheckingInterval: 1_000,
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxRequestsPerSocket: options.maxRequestsPerSocket ?? 1000,
    // Any other upgrade (h2c, say) is an ordinary request, whose wish is not granted.
    shouldUpgradeCallback: (request: IncomingMessage) =>
      request.method === 'GET' &&
      request.headers.upgrade?.toLowerCase() === 'websocket' &&
      upgradeRouteOf(request) !== undefined,
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    dispatch(request, response)
  const server =
    options.tls === undefined
      ? createServer(serverOptions, onRequest)
      : createTlsServer(
          {
            ...{ ...serverOptions, ...options.tls, minVersion: 'TLSv1.2' },
            // What counts is the thumbprint: a token says which certificate, not who issued it.
            ...(certificates?.from === 'tls' && { requestCert: true, rejectUnauthorized: false }),
          },
          onRequest,
        )
  server.on('checkContinue', (request, response) => dispatch(request, response, true))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (lastAnswers.isOver(socket)) return
    if (certificates !== undefined) rememberClientCertificate(request, certificates)
    const refusal = checkRequest(request)
    const route = refusal === undefined ? upgradeRouteOf(request) : undefined
    tunnels.add(socket)
    socket.once('close', () => tunnels.delete(socket))
    if (route?.upgrade !== undefined && closing === undefined) route.upgrade(request, socket, head)
    else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  // Node leaves out those beyond its limit and goes on; checkRequest refuses the request.
  server.maxHeadersCount = 0
  server.maxConnections = options.maxConnections ?? 10_000
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET' || lastAnswers.isUnderWay(socket)) {
      socket.destroy()
      return
    }
    const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })

  return {
    server,
    listen() {
      const refusal = refuseListenAddress({
        host: options.host,
        port: options.port,
        tls: options.tls !== undefined,
        behindTlsProxy: options.behindTlsProxy ?? false,
      })
      if (refusal !== undefined) return Promise.reject(new Error(refusal))
      return new Promise((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) =>
          reject(new Error(describeListenError(error, options), { cause: error })),
        )
        server.listen(options.port, options.host, () => {
          server.removeAllListeners('error')
          server.on('error', onError)
          const { address, port } = server.address() as AddressInfo
          resolve({ host: address, port })
        })
      })
    },
    close() {
      // Who gets an answer now is not to send the next request on the same connection.
      for (const response of running) {
        if (!response.headersSent) response.setHeader('Connection', 'close')
      }
      closing ??= drain(server, drainMs).finally(() => uploads.stop())
      // Nothing says when a WebSocket is done.
      for (const socket of tunnels) socket.destroy()
      return closing
    },
  }
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** A body that trickles in would hold its connection for next to nothing. */
function limitBody(request: IncomingMessage, timeoutMs: number): void {
  const { headers } = request
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy()
  }, timeoutMs).unref()
  request.once('close', () => clearTimeout(timer))
}

function drain(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection becomes idle when its running request ends; nothing tells us.
    const idle = setInterval(() => server.closeIdleConnections(), 50)
    const late = setTimeout(() => server.closeAllConnections(), drainMs)
    server.close(() => {
      clearInterval(idle)
      clearTimeout(late)
      resolve()
    })
    server.closeIdleConnections()
  })
}

function describeListenError(error: NodeJS.ErrnoException, options: NodeServerOptions): string {
  const where = `${options.host}:${options.port}`
  if (error.code === 'EADDRINUSE') {
    return `${where} is already taken by another program: stop it, or choose another port (--port, server.url)`
  }
  if (error.code === 'EACCES') return `not allowed to listen on ${where}: choose a port above 1023`
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return `${options.host} is not an address of this machine (server.url)`
  }
  return `cannot listen on ${where}: ${error.message}`
}
