import { findProviderError, tokenFactsOf } from '@scopegate/checks'
import type { Connection } from '@scopegate/token-broker'
import { pass, reasonOf, warn } from '../finding.ts'
import type {
  ConnectionExamination,
  ConnectionReport,
  ExaminedToken,
  Step,
} from './connection-doctor.ts'
import { examineCredential } from './examine-credential.ts'
import { examineMetadata } from './examine-metadata.ts'
import { examineResource } from './examine-resource.ts'
import { examineRoute } from './examine-route.ts'
import { examineSidecarPath } from './examine-sidecar-path.ts'
import { examineToken } from './examine-token.ts'

const TIMEOUT_MS = 10_000

/**
 * Goes the way of a token step by step, and tells of each whether it is in order: credential,
 * proxy, name, TCP, TLS, discovery, clock, client authentication, scope, contents, and with an
 * address the resource. What comes after a failure that rules it out is left out. Nothing secret is
 * in the report.
 */
export async function examineOneConnection(
  examination: ConnectionExamination,
): Promise<ConnectionReport> {
  const { connection } = examination
  const steps: Step[] = []
  try {
    for await (const step of look(examination)) steps.push(step)
  } catch (error) {
    const fix = 'this is a defect: please report it'
    steps.push(warn('examination', `could not be finished: ${reasonOf(error)}`, fix))
  }
  const failure = steps.find(({ outcome }) => outcome === 'fail')
  const hasWarning = steps.some(({ outcome }) => outcome === 'warn')
  return {
    connection: connection.name,
    outcome: failure ? 'fail' : hasWarning ? 'warn' : 'pass',
    ...(failure && { kind: failure.kind ?? 'configuration' }),
    findings: steps.map(({ kind: _, ...told }) => ({
      subject: `connection ${connection.name}`,
      ...told,
    })),
  }
}

async function* look(examination: ConnectionExamination): AsyncGenerator<Step> {
  const { connection, environment, nowMs, timeoutMs = TIMEOUT_MS } = examination
  const limited = () => ({ environment, nowMs, signal: AbortSignal.timeout(timeoutMs) })
  yield pass('configuration', describe(connection))
  const { resourceUrl, sidecar } = examination
  if (resourceUrl !== undefined && sidecar) yield* examineSidecarPath(resourceUrl, sidecar)

  const credential = examination.keyIsElsewhere
    ? [pass('key', 'kept by the server that runs')]
    : await examineCredential(connection, nowMs)
  yield* credential
  if (credential.some(({ outcome }) => outcome === 'fail')) return

  const address = connection.tokenEndpoint ?? connection.metadataUrls[0] ?? connection.issuer
  if (address === undefined || !URL.canParse(address)) {
    const { code, kind, cause, fix } = findProviderError({ finding: 'endpoint_missing' })
    yield { check: 'token endpoint', outcome: 'fail', found: cause, fix, code, kind }
    return
  }
  const route = await examineRoute(connection, address, limited())
  yield* route
  if (route.some(({ outcome }) => outcome === 'fail')) return

  const metadata = await examineMetadata(connection, limited())
  yield* metadata.steps
  if (metadata.steps.some(({ outcome }) => outcome === 'fail')) return

  const token = await examination.getToken(AbortSignal.timeout(timeoutMs))
  const skew = skewOf(token) ?? metadata.clockSkewSeconds
  if (skew !== undefined) yield judgeSkew(skew)
  if (token.kind !== 'token') {
    yield* examineToken(connection, token, undefined)
    return
  }
  const isAppOnly = connection.grant === 'client_credentials'
  const facts = tokenFactsOf(token.accessToken, {
    ...{ granted: token.scopes, isAppOnly, nowSeconds: nowMs() / 1000 },
  })
  yield* examineToken(connection, token, facts)

  if (examination.resourceUrl === undefined) return
  yield* await examineResource(connection, examination.resourceUrl, token, facts, limited())
}

function describe({ preset, grant, tokenEndpoint, issuer, clientId }: Connection): string {
  return `${preset}, ${grant}, client ${clientId}, ${tokenEndpoint ?? issuer ?? 'no address'}`
}

function skewOf(token: ExaminedToken): number | undefined {
  return token.kind === 'untried' ? undefined : token.clockSkewSeconds
}

/** Assertions live a minute or five; the `Date` header is cut to the second. */
function judgeSkew(seconds: number): Step {
  const off = Math.abs(Math.round(seconds))
  if (off <= 5) return pass('clock', 'the same as here')
  const found = `this clock is ${off} s ${seconds > 0 ? 'behind' : 'ahead of'} the provider's`
  const fix = 'set both clocks by NTP (`timedatectl`, `chronyc tracking`)'
  return warn('clock', found, fix)
}
