import { type Handler, PAGE_HEADERS } from '@scopegate/http'
import type { Parts } from '../wire.ts'
import { type LandingFacts, landingPage } from './landing-page.ts'
import { refusalPage } from './refusal-page.ts'
import { isSampleRefusal, refuseSample, SAMPLE_SCOPE } from './sample-refusals.ts'

/** Drawn anew at most so often: counting is work, and anybody may ask. */
const KEEP_MS = 5000

/** Answers `/`, and with `?refused=` a request that is refused on purpose. */
export function createLandingHandler(
  parts: Parts,
  facts: { readonly hasSample: boolean; readonly nowMs: () => number },
): Handler {
  const drawn = new Map<string, { readonly page: Promise<string>; readonly atMs: number }>()

  /** One at a time, and kept for a while. */
  function kept(name: string, draw: () => Promise<string>): Promise<string> {
    const found = drawn.get(name)
    if (found !== undefined && facts.nowMs() - found.atMs <= KEEP_MS) return found.page
    const page = draw()
    drawn.set(name, { page, atMs: facts.nowMs() })
    page.catch(() => drawn.delete(name))
    return page
  }

  async function draw(): Promise<string> {
    const status = await parts.status()
    return landingPage({
      url: status.url,
      fhirUrl: parts.fhirUrl,
      version: status.version,
      ready: status.ready,
      storage: `PostgreSQL ${status.storage.serverVersion ?? ''}, ${status.storage.kind === 'embedded' ? 'embedded' : 'your own'}`,
      endpoints: addresses(parts),
      clientCount: status.clientCount,
      resourceCounts: new Map(Object.entries(status.resourceCounts)),
      hasSample: facts.hasSample,
      refused: await refusedRequest(parts),
    })
  }

  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } })
    }
    const asked = new URL(request.url).searchParams.get('refused')
    const page = isSampleRefusal(asked)
      ? await kept(asked, async () => refusalPage(await refuseSample(parts, asked)))
      : await kept('', draw)
    return new Response(page, {
      headers: {
        ...PAGE_HEADERS,
        'Content-Type': 'text/html; charset=utf-8',
        'Cache-Control': 'no-cache',
      },
    })
  }
}

function addresses({
  fhirUrl,
  adminHasOwnListener,
  authorizationServer: { issuer },
}: Parts): LandingFacts['endpoints'] {
  return [
    { name: 'FHIR R4', url: fhirUrl, what: 'needs a token' },
    { name: 'Capabilities', url: `${fhirUrl}/metadata`, what: 'what the endpoint offers' },
    {
      name: 'SMART configuration',
      url: `${fhirUrl}/.well-known/smart-configuration`,
      what: 'how apps find where to sign in and get tokens',
    },
    { name: 'Tokens', url: `${issuer}/oauth/token`, what: 'by POST' },
    { name: 'My access', url: `${issuer}/account`, what: 'what a user allowed, and takes back' },
    {
      name: 'Issuer',
      url: `${issuer}/.well-known/openid-configuration`,
      what: 'metadata of the authorization server',
    },
    { name: 'Keys', url: `${issuer}/oauth/jwks`, what: 'verify our tokens with them' },
    // An address of its own is nobody's business who only sees this page.
    ...(adminHasOwnListener
      ? []
      : [
          {
            name: 'Doctor',
            url: `${issuer}/admin/doctor`,
            what: 'for operators: what is not in order',
          },
        ]),
    { name: 'Health', url: `${issuer}/readyz`, what: 'also /healthz and /metrics' },
  ]
}

/** A request for patients under a laboratory scope, made in process while the page is drawn. */
async function refusedRequest({ fhirEndpoint, fhirUrl }: Parts) {
  const path = `${new URL(fhirUrl).pathname}/Patient`
  const { status, checks } = await fhirEndpoint.explain({
    method: 'GET',
    path,
    claims: { scope: SAMPLE_SCOPE },
  })
  return { request: `GET ${path}`, scope: SAMPLE_SCOPE, status, checks }
}
