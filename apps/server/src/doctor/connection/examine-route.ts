import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type DetailedPeerCertificate, getCACertificates } from 'node:tls'
import { findProviderError } from '@scopegate/checks'
import { type Connection, decideProxy } from '@scopegate/token-broker'
import { judgeCertificateEnd, judgeScheme } from '../examine-connection.ts'
import { pass } from '../finding.ts'
import type { Step } from './connection-doctor.ts'

/** What is looked at on the way to an address. Nothing is sent. */
interface Route {
  readonly target: URL
  readonly proxy: string
  /** Where the connection goes first. */
  readonly host: string
  readonly port: number
  readonly connection: Connection
  readonly signal: AbortSignal
  readonly nowMs: () => number
}

/** Proxy decision, name, TCP, TLS; the first that fails is the last that is told. */
export async function examineRoute(
  connection: Connection,
  address: string,
  options: {
    readonly environment: Readonly<Record<string, string | undefined>>
    readonly signal: AbortSignal
    readonly nowMs: () => number
  },
): Promise<readonly Step[]> {
  const target = new URL(address)
  const decision = decideProxy(target, connection.transport.proxy, options.environment)
  const first = decision.url === undefined ? target : new URL(decision.url)
  const route: Route = {
    ...{ target, connection, signal: options.signal, nowMs: options.nowMs },
    proxy: decision.shown,
    host: first.hostname.replace(/^\[|\]$/g, ''),
    port: Number(first.port) || (first.protocol === 'https:' ? 443 : 80),
  }
  const steps: Step[] = [pass('proxy', decision.shown)]
  const name = await examineName(route)
  steps.push(name)
  if (name.outcome === 'fail') return steps
  const tcp = await examineTcp(route)
  steps.push(tcp)
  if (tcp.outcome === 'fail') return steps
  if (decision.url !== undefined) {
    return [...steps, pass('tls', 'through the proxy: seen by the requests that follow')]
  }
  if (target.protocol !== 'https:') {
    return [...steps, ...judgeScheme(address, connection.transport.allowPlain)]
  }
  return [...steps, ...(await examineTls(route))]
}

async function examineName(route: Route): Promise<Step> {
  const { host } = route
  if (isIP(host) !== 0) return pass('dns', `${host} is an address`)
  try {
    const found = await lookup(host, { all: true })
    return pass('dns', `${host} is ${found.map(({ address }) => address).join(', ')}`)
  } catch (error) {
    return network('dns', route, error)
  }
}

async function examineTcp(route: Route): Promise<Step> {
  const { host, port, signal } = route
  const socket = connectTcp({ host, port })
  try {
    await settled(socket, 'connect', signal)
    return pass('tcp', `${host}:${port} takes connections`)
  } catch (error) {
    return network('tcp', route, error)
  } finally {
    socket.destroy()
  }
}

async function examineTls(route: Route): Promise<readonly Step[]> {
  const { target, host, port, connection, signal, nowMs } = route
  const { ca } = connection.transport
  const socket = connectTls({
    ...{ host, port },
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
    // To look at what is there, trusted or not. Nothing is sent over this connection.
    rejectUnauthorized: false,
  })
  try {
    await settled(socket, 'secureConnect', signal)
    const certificate = socket.getPeerCertificate(true)
    const refusal = socket.authorizationError as Error | string | null | undefined
    if (refusal) {
      const nodeCode =
        typeof refusal === 'string' ? refusal : ((refusal as NodeJS.ErrnoException).code ?? '')
      const { code, kind, cause, fix } = findProviderError({
        ...{ stage: 'discovery', endpoint: target.href, nodeCode, proxy: route.proxy },
        connection: connection.name,
      })
      const shown = `${cause}; its chain: ${chainOf(certificate).join(' ← ')}; names: ${namesOf(certificate)}`
      return [{ check: 'tls', outcome: 'fail', found: shown, fix, code, kind }]
    }
    const chain = chainOf(certificate)
    return [
      pass('tls', `${socket.getProtocol()}, ${chain.join(' ← ')}; names: ${namesOf(certificate)}`),
      judgeCertificateEnd(Date.parse(certificate.valid_to), nowMs(), 'have the provider renew it'),
    ]
  } catch (error) {
    return [network('tls', route, error)]
  } finally {
    socket.destroy()
  }
}

function network(check: string, route: Route, error: unknown): Step {
  const isLate = route.signal.aborted
  const { code, kind, cause, fix } = findProviderError({
    stage: 'discovery',
    endpoint: `${route.target.protocol}//${route.host}:${route.port}`,
    proxy: route.proxy,
    connection: route.connection.name,
    ...(isLate ? { finding: 'timeout' } : { nodeCode: codeOf(error) }),
  })
  return { check, outcome: 'fail', found: cause, fix, code, kind }
}

function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as NodeJS.ErrnoException & { errors?: unknown[] }
  if (typeof code === 'string') return code
  return errors?.[0] === undefined ? '' : codeOf(errors[0])
}

function settled(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once(event, resolve)
  socket.once('error', reject)
  socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  if (signal.aborted) reject(signal.reason)
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  return promise
}

/** Leaf first, by their common names; a chain that bites its tail ends. */
function chainOf(leaf: DetailedPeerCertificate): readonly string[] {
  const names: string[] = []
  const seen = new Set<string>()
  for (
    let at: DetailedPeerCertificate | undefined = leaf;
    at?.fingerprint256 !== undefined && !seen.has(at.fingerprint256) && names.length < 6;
    at = at.issuerCertificate
  ) {
    seen.add(at.fingerprint256)
    names.push(nameOf(at.subject))
    if (at.issuerCertificate === undefined) names.push(`(${nameOf(at.issuer)}, not sent)`)
  }
  return names
}

function nameOf(subject: DetailedPeerCertificate['subject'] | undefined): string {
  const name = subject?.CN ?? subject?.O
  return String(Array.isArray(name) ? name[0] : (name ?? 'nameless')).slice(0, 100)
}

function namesOf({ subjectaltname }: DetailedPeerCertificate): string {
  return subjectaltname === undefined ? 'none' : subjectaltname.slice(0, 300)
}
