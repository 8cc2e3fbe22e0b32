import {
  type AnswerHeaders,
  copyAnswerHeaders,
  copyRequestHeaders,
  createHeaderPolicy,
  type HeaderPolicy,
  type RequestToken,
  setsOwnCookie,
  withoutOwnCookies,
} from '@scopegate/upstream'
import { callerAddress } from './caller-address.ts'
import { DIAGNOSIS_HEADER, type Diagnosis, diagnosisHeader } from './diagnose.ts'
import type { OutboundCall } from './outbound-call.ts'

/** What callers cannot send through: credentials, who they are, and what is about this machine. */
const DROPPED = [
  'authorization',
  'dpop',
  'client-cert',
  'client-cert-chain',
  'origin',
  'referer',
  'via',
  'cf-connecting-ip',
]
const DROPPED_PREFIXES = ['scopegate-', 'sec-fetch-', 'sec-ch-']

const WITHOUT_COOKIES = createHeaderPolicy({
  drop: DROPPED,
  dropPrefixes: DROPPED_PREFIXES,
  cookies: () => '',
})
const WITH_COOKIES = createHeaderPolicy({
  drop: DROPPED,
  dropPrefixes: DROPPED_PREFIXES,
  cookies: withoutOwnCookies,
})

/** What an upstream cannot say to callers: promises for an origin that is not its own, and to us. */
const NOT_ANSWERED: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'dpop-nonce',
  'public-key-pins',
  'strict-transport-security',
  DIAGNOSIS_HEADER.toLowerCase(),
])

/** What the upstream gets: the caller's headers without what is ours, and exactly one token. */
export async function outboundHeadersOf(
  { request, route, correlationId }: OutboundCall,
  token: RequestToken,
): Promise<string[]> {
  const policy: HeaderPolicy = route.connection.cookies === 'keep' ? WITH_COOKIES : WITHOUT_COOKIES
  const headers: string[] = []
  copyRequestHeaders(request.rawHeaders, policy, request.headers.connection, headers)
  headers.push('x-request-id', correlationId, ...(await token.headers()))
  return headers
}

/** What the caller gets of an answer. */
export function answerHeadersOf(
  headers: AnswerHeaders,
  call: OutboundCall,
  diagnosis: Diagnosis | undefined,
  token: RequestToken,
): string[] {
  const { correlationId } = call
  const { connection } = call.route
  const out = ['X-Request-Id', correlationId]
  if (diagnosis !== undefined) {
    out.push(DIAGNOSIS_HEADER, diagnosisHeader(diagnosis, token.current))
  }
  const policy = {
    drop: NOT_ANSWERED,
    keepsCookie: (line: string) => connection.cookies === 'keep' && !setsOwnCookie(line),
    // A redirect to somewhere else is the caller's to follow, without the token.
    address: (location: string) => callerAddress(location, call),
  }
  return copyAnswerHeaders(headers, policy, out)
}
