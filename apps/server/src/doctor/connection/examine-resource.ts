import { findProviderError, readBearerChallenge, type TokenFacts } from '@scopegate/checks'
import { type Connection, createTransport, explainFault } from '@scopegate/token-broker'
import { fail, pass, warn } from '../finding.ts'
import { type ExaminedToken, failStep, type Step } from './connection-doctor.ts'

type Got = Extract<ExaminedToken, { kind: 'token' }>

interface ResourceOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly nowMs: () => number
}

/** Tries the token at a resource, and explains a refusal: what it asked for, against what is there. */
export async function examineResource(
  connection: Connection,
  address: string,
  token: Got,
  facts: TokenFacts,
  options: ResourceOptions,
): Promise<readonly Step[]> {
  const { certificate: _, ...transport } = connection.transport
  const sender = createTransport({ transport, ...options })
  const proofUrl = address.replace(/[?#].*$/, '')
  const get = async (dpopNonce?: string) =>
    sender.send(
      {
        method: 'GET',
        url: address,
        headers: {
          accept: 'application/json, */*;q=0.5',
          ...(await token.headers({
            ...{ method: 'GET', url: proofUrl },
            ...(dpopNonce !== undefined && { dpopNonce }),
          })),
        },
      },
      options.signal,
    )
  try {
    let answer = await get()
    const nonce = answer.headers.get('dpop-nonce')
    if (answer.status === 401 && token.type === 'DPoP' && nonce !== null) answer = await get(nonce)
    const { status, headers, clockSkewSeconds } = answer
    if (status < 400) return [pass('resource', `${address} answers ${status}`)]
    const challenge = readBearerChallenge(headers.get('www-authenticate'))
    const steps: Step[] = []
    if (challenge !== undefined) steps.push(pass('challenge', challenge.shown))
    if (status !== 401 && status !== 403 && status < 500) {
      const found = `${address} answers ${status}: the token was taken, as far as that tells`
      return [...steps, warn('resource', found, 'try an address that is there')]
    }
    steps.push(...compare(challenge?.scopes ?? [], facts))
    if (challenge?.metadataUrl !== undefined) {
      steps.push(...(await compareMetadata(challenge.metadataUrl, address, facts, sender, options)))
    }
    const { code, kind, cause, fix } = findProviderError({
      ...{ stage: 'resource', preset: connection.preset, connection: connection.name },
      ...{ status, resource: address, token: facts, clientId: connection.clientId },
      ...(challenge?.error !== undefined && { error: challenge.error }),
      ...(challenge?.description !== undefined && { description: challenge.description }),
      ...(challenge && challenge.scopes.length > 0 && { neededScopes: challenge.scopes }),
      ...(challenge?.hasClaims && { hasClaimsChallenge: true }),
      ...(clockSkewSeconds !== undefined && { clockSkewSeconds }),
    })
    const found = `${address} answers ${status}: ${cause}`
    return [...steps, { check: 'resource', outcome: 'fail', found, fix, code, kind }]
  } catch (error) {
    const target = { connection, scopes: [], audience: undefined, subject: undefined }
    const failure = explainFault(target, error, { stage: 'resource', isTokenRequest: false })
    return [failStep('resource', failure)]
  }
}

/** The scopes that the resource asks for, against those of the token. */
function compare(needed: readonly string[], { scopes, roles }: TokenFacts): readonly Step[] {
  const missing = needed.filter((scope) => !scopes.includes(scope) && !roles.includes(scope))
  if (missing.length === 0) return []
  return [
    {
      ...fail(
        'needed scope',
        `the resource asks for \`${needed.join(' ')}\`; the token lacks \`${missing.join(' ')}\``,
        'add them to `scopes` of the connection, and have them granted to the client',
      ),
      kind: 'permission',
      code: 'resource_insufficient_scope',
    },
  ]
}

/** What the resource says of itself: its identifier is what it expects in `aud`. @see RFC 9728 §5.1 */
async function compareMetadata(
  metadataUrl: string,
  address: string,
  { audiences, issuer, isOpaque }: TokenFacts,
  sender: ReturnType<typeof createTransport>,
  { signal }: ResourceOptions,
): Promise<readonly Step[]> {
  // Only the resource itself is asked, whatever it names.
  if (URL.parse(metadataUrl)?.origin !== new URL(address).origin || isOpaque) return []
  let document: { readonly resource?: unknown; readonly authorization_servers?: unknown }
  try {
    const headers = { accept: 'application/json' }
    const { text } = await sender.send({ method: 'GET', url: metadataUrl, headers }, signal)
    document = JSON.parse(text) ?? {}
  } catch {
    return []
  }
  const { resource, authorization_servers: servers } = document
  const steps: Step[] = []
  if (typeof resource === 'string' && !audiences.includes(resource)) {
    const found = `the resource calls itself ${resource.slice(0, 200)}; the token is for ${audiences.join(', ') || 'nobody'}`
    steps.push(
      warn('expected aud', found, 'set `audience` or `resource` of the connection to that name'),
    )
  }
  if (Array.isArray(servers) && issuer !== undefined && !servers.includes(issuer)) {
    const found = `the resource trusts ${servers.map(String).join(', ').slice(0, 300)}; the token is of ${issuer}`
    steps.push(warn('expected iss', found, 'get the token from one of them'))
  }
  return steps
}
