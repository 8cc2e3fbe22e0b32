import type { AccessEvent, Trace } from '@scopegate/audit'
import { createFhirEndpoint, type FhirEndpointDeps } from '@scopegate/fhir-endpoint'
import type { FhirBackend } from '@scopegate/fhir-model'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { DEFAULT_POLICY } from '@scopegate/smart-scopes'
import { createTokenVerifier, keysFromSet, rfc9068Issuer } from '@scopegate/token-verify'

export const BASE = 'https://api.example/fhir/r4'
export const NOW_MS = Date.UTC(2026, 10, 23, 12)
const NOW = NOW_MS / 1000

/** An endpoint over `backend`, with a lab issuer, and what it left in audit and traces. */
export function endpointUnderTest(backend: FhirBackend, deps: Partial<FhirEndpointDeps> = {}) {
  const lab = createLabIssuer({
    issuer: 'https://idp.example',
    keys: [createLabKey('ES256')],
    now: () => NOW,
  })
  const events: AccessEvent[] = []
  const traces: Trace[] = []
  const errors: unknown[] = []
  const endpoint = createFhirEndpoint({
    baseUrl: BASE,
    backend,
    verifier: createTokenVerifier({
      issuers: [rfc9068Issuer(lab.issuer, keysFromSet(lab.keySet))],
      clockToleranceSeconds: 30,
      now: () => NOW,
    }),
    issuers: [lab.issuer],
    policy: { ...DEFAULT_POLICY, baseUrls: [BASE] },
    cursorKey: new Uint8Array(32).fill(7),
    audit: {
      record(event) {
        events.push(event)
        return undefined
      },
    },
    traces: { record: (_outcome, make) => void traces.push(make()) },
    now: () => NOW_MS,
    onError: (error) => void errors.push(error),
    ...deps,
  })

  /** Sends a request under a fresh token with these scopes; no token when there are none. */
  async function send(path: string, options: SendOptions = {}): Promise<Answer> {
    const { scope, method = 'GET', body } = options
    const headers = new Headers(options.headers)
    headers.set('X-Request-Id', headers.get('X-Request-Id') ?? 'req-00000001')
    if (scope !== undefined) {
      const token = lab.mintToken({
        audience: BASE,
        scope,
        clientId: options.clientId ?? 'lab',
        ...(options.patient === undefined ? {} : { patient: options.patient }),
        ...(options.fhirUser === undefined ? {} : { fhirUser: options.fhirUser }),
        claims: { jti: 'fixed', ...options.claims },
      })
      headers.set('Authorization', `Bearer ${token}`)
    }
    if (body !== undefined && !headers.has('Content-Type')) {
      headers.set('Content-Type', 'application/fhir+json')
    }
    const url = path.startsWith('https:') ? path : `${BASE}${path === '' ? '' : `/${path}`}`
    const request = new Request(url, {
      method,
      headers,
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const response = await endpoint.fetch(request)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' ? undefined : JSON.parse(text),
    }
  }
  return { send, endpoint, lab, events, traces, errors }
}

export interface SendOptions {
  readonly scope?: string
  readonly patient?: string
  readonly fhirUser?: string
  readonly clientId?: string
  readonly claims?: Record<string, unknown>
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any
}
