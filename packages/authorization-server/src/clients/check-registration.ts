import {
  type ClientRegistration,
  CONSENT_MODES,
  type ConsentMode,
  GRANT_TYPES,
  type GrantType,
} from '@scopegate/oauth-model'
import { type NetworkPolicy, parseKeySet, refuseUrl } from '@scopegate/token-verify'
import { isNative } from './client.ts'
import {
  type AddressProblem,
  originProblem,
  redirectUriProblem,
  redirectUrisProblem,
  webAddressProblem,
} from './redirect-uri.ts'
import { scopeProblem } from './registrable-scope.ts'

export interface RegistrationProblem {
  readonly member: string
  readonly why: string
  readonly fix: string
}

/** A registration that cannot stand; every problem at once. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused'
  readonly problems: readonly RegistrationProblem[]

  constructor(problems: readonly RegistrationProblem[]) {
    super(problems.map(({ member, why, fix }) => `${member}: ${why}; ${fix}`).join('\n'))
    this.problems = problems
  }
}

/** A registration that was found good. */
export interface CheckedRegistration {
  readonly name: string
  readonly scopes: string
  readonly grants: readonly GrantType[]
  readonly public: boolean
  readonly jwks?: { readonly keys: readonly object[] }
  readonly jwksUri?: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  /** Missing: by the redirect URIs. */
  readonly origins?: readonly string[]
  readonly launchUrl?: string
  readonly dpopBound: boolean
  readonly requirePar: boolean
  readonly backchannelLogoutUri?: string
  readonly logoUri?: string
  readonly clientUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
  readonly consent: ConsentMode
  readonly accessTokenSeconds?: number
  readonly refreshTokenSeconds?: number
}

/** The longest life of an access token that a client can be given. */
export const MAX_ACCESS_TOKEN_SECONDS = 3600

const MAX_REDIRECT_URIS = 50
const SHOWN_ADDRESSES = ['launchUrl', 'logoUri', 'clientUri', 'policyUri', 'tosUri'] as const
const OPTIONAL = [
  'jwksUri',
  'origins',
  'backchannelLogoutUri',
  'accessTokenSeconds',
  'refreshTokenSeconds',
  ...SHOWN_ADDRESSES,
] as const

type Add = (member: string, why: string, fix: string) => void

/**
 * Judges a registration as a whole; `checked` is missing if there are problems.
 * @param apiScopes scopes that ordinary APIs have named
 */
export function checkRegistration(
  registration: ClientRegistration,
  network: NetworkPolicy,
  apiScopes: readonly string[] = [],
): {
  readonly problems: readonly RegistrationProblem[]
  readonly checked?: CheckedRegistration
} {
  const problems: RegistrationProblem[] = []
  const add: Add = (member, why, fix) => problems.push({ member, why, fix })
  const texts = registration.scopes.split(' ').filter((text) => text !== '')

  checkName(registration.name, add)
  checkGrants(registration, add)
  checkScopes(texts, registration.grants, apiScopes, add)
  checkKeys(registration, network, add)
  checkAddresses(registration, network, add)
  checkNumbers(registration, add)
  if (problems.length > 0) return { problems }

  const optional = OPTIONAL.flatMap((member) =>
    registration[member] === undefined ? [] : [[member, registration[member]]],
  )
  const checked: CheckedRegistration = {
    name: registration.name.trim(),
    scopes: texts.join(' '),
    grants: [...new Set(registration.grants as GrantType[])],
    public: registration.public ?? false,
    redirectUris: registration.redirectUris ?? [],
    postLogoutRedirectUris: registration.postLogoutRedirectUris ?? [],
    dpopBound: registration.dpopBound ?? false,
    requirePar: registration.requirePar ?? false,
    consent: (registration.consent ?? 'ask') as ConsentMode,
    ...(registration.jwks === undefined ? {} : { jwks: registration.jwks as { keys: object[] } }),
    ...Object.fromEntries(optional),
  }
  return { problems, checked }
}

/** Joiners are letters' own: Persian and emoji need them. */
const INVISIBLE = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u3164\uffa0]--[\u200c\u200d]]/v

function checkName(name: unknown, add: Add): void {
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200) {
    add('name', 'missing, or longer than 200 characters', 'give the client a name')
    // A name is shown where people decide whom to trust: nothing in it may hide or turn text.
  } else if (INVISIBLE.test(name)) {
    add('name', 'holds control characters or such as nobody sees', 'leave them out')
  }
}

function checkGrants(registration: ClientRegistration, add: Add): void {
  const { grants } = registration
  const list = GRANT_TYPES.join(', ')
  if (grants.length === 0) add('grants', 'none given', `choose from ${list}`)
  for (const grant of grants) {
    if ((GRANT_TYPES as readonly string[]).includes(grant)) continue
    const why =
      grant === 'implicit' || grant === 'password'
        ? `\`${grant}\` is not supported: OAuth 2.1 left it out`
        : `\`${grant}\` is not supported`
    add('grants', why, `choose from ${list}`)
  }
  const hasCode = grants.includes('authorization_code')
  const hasRedirects = (registration.redirectUris ?? []).length > 0
  if (hasCode && !hasRedirects) {
    add('redirectUris', 'none given', '`authorization_code` needs at least one')
  }
  if (!hasCode && hasRedirects) {
    add('grants', 'redirect URIs without `authorization_code`', 'add it, or leave them out')
  }
  if (grants.includes('refresh_token') && !hasCode && !grants.includes(DEVICE)) {
    add('grants', '`refresh_token` alone', 'it continues `authorization_code` or the device grant')
  }
  const proving = grants.find((grant) => grant === 'client_credentials' || grant === EXCHANGE)
  if (registration.public && proving !== undefined) {
    add(
      'grants',
      `a public client cannot use \`${proving}\`: it cannot prove who it is`,
      'give it a secret or keys, or another grant',
    )
  }
}

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

function checkScopes(
  texts: readonly string[],
  grants: readonly string[],
  apiScopes: readonly string[],
  add: Add,
): void {
  if (texts.length === 0) add('scopes', 'none given', 'name at least one scope')
  for (const text of texts) {
    // Without grants that is said already.
    const problem = scopeProblem(text, grants.length === 0 ? GRANT_TYPES : grants, apiScopes)
    if (problem !== undefined) add('scopes', `\`${text}\`: ${problem.why}`, problem.fix)
  }
}

function checkKeys(registration: ClientRegistration, network: NetworkPolicy, add: Add): void {
  const { jwks, jwksUri } = registration
  if (registration.public && (jwks !== undefined || jwksUri !== undefined)) {
    add('public', 'given together with keys', 'leave out one of them')
  }
  if (jwks !== undefined && jwksUri !== undefined) {
    add('jwks', 'given together with jwksUri', 'give one of them')
  }
  if (jwks !== undefined) {
    const parsed = parseKeySet(jwks)
    if (!parsed.ok) add('jwks', parsed.problem, 'give a JWK Set of public keys')
    else if (parsed.keys.length === 0) add('jwks', 'no key in it can verify', 'give a signing key')
    else if (parsed.keys.some(({ kid }) => kid === undefined)) {
      add('jwks', 'a key has no `kid`', 'give every key a `kid`, and name it in the assertions')
    } else if (new Set(parsed.keys.map(({ kid }) => kid)).size < parsed.keys.length) {
      add('jwks', 'two keys have the same `kid`', 'give every key a `kid` of its own')
    }
  }
  if (jwksUri !== undefined) checkFetched('jwksUri', jwksUri, network, add)
}

/** An address that this server calls. */
function checkFetched(member: string, text: string, network: NetworkPolicy, add: Add): void {
  const url = URL.parse(text)
  const refused = url === null ? 'not a URL' : refuseUrl(url, network)
  if (refused !== undefined) add(member, refused, 'give an https URL that this server reaches')
}

function checkAddresses(registration: ClientRegistration, network: NetworkPolicy, add: Add): void {
  const say = (member: string, text: string, problem: AddressProblem | undefined) => {
    if (problem === undefined) return
    add(member, `\`${text.slice(0, 200)}\`: ${problem.why}`, problem.fix)
  }
  const { redirectUris = [], origins = [] } = registration
  for (const member of ['redirectUris', 'postLogoutRedirectUris'] as const) {
    const texts = registration[member] ?? []
    for (const text of texts) say(member, text, redirectUriProblem(text))
    const together = redirectUrisProblem(texts, isNative(redirectUris))
    if (together !== undefined) add(member, together.why, together.fix)
    if (texts.length > MAX_REDIRECT_URIS) {
      add(member, `more than ${MAX_REDIRECT_URIS}`, 'register several clients')
    }
  }
  for (const origin of origins) say('origins', origin, originProblem(origin))
  for (const member of SHOWN_ADDRESSES) {
    const text = registration[member]
    if (text !== undefined) say(member, text, webAddressProblem(text))
  }
  const { backchannelLogoutUri } = registration
  if (backchannelLogoutUri !== undefined) {
    checkFetched('backchannelLogoutUri', backchannelLogoutUri, network, add)
    if (backchannelLogoutUri.includes('#')) {
      add('backchannelLogoutUri', 'has a fragment', 'leave out the part from `#` on')
    }
  }
}

function checkNumbers(registration: ClientRegistration, add: Add): void {
  const { consent, accessTokenSeconds, refreshTokenSeconds } = registration
  if (consent !== undefined && !(CONSENT_MODES as readonly string[]).includes(consent)) {
    add('consent', 'not a way to ask', `choose from ${CONSENT_MODES.join(', ')}`)
  }
  for (const [member, seconds, most] of [
    ['accessTokenSeconds', accessTokenSeconds, MAX_ACCESS_TOKEN_SECONDS],
    ['refreshTokenSeconds', refreshTokenSeconds, 10 * 366 * 86_400],
  ] as const) {
    if (seconds === undefined) continue
    if (Number.isInteger(seconds) && seconds >= 30 && seconds <= most) continue
    add(member, 'out of range', `give whole seconds from 30 to ${most}`)
  }
}
