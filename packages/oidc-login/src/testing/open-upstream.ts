import { randomBytes } from 'node:crypto'
import {
  createLabOpenIdProvider,
  type LabClient,
  type LabFault,
  type LabFlavourName,
  type LabOpenIdProvider,
  type LabUser,
} from '@scopegate/lab'
import {
  type CompletedLogin,
  createUpstreamLogins,
  LoginRefused,
  type UpstreamLogins,
  type UpstreamLoginsDeps,
  type UpstreamProvider,
} from '@scopegate/oidc-login'
import { createSealer } from '@scopegate/secrets'

export const TENANT = '11111111-2222-4333-8444-555555555555'
export const OTHER_TENANT = '99999999-2222-4333-8444-555555555555'
export const SECRET = 'an upstream secret, 32 characters+'
export const sealer = createSealer([{ id: 'k1', key: randomBytes(32) }])

/** Flavours with a preset of their own here. */
export type ProviderFlavour = Exclude<LabFlavourName, 'entra-v1' | 'entra-v2' | 'auth0'>

/** The settings of a provider of each kind, with the issuer that its preset makes of them. */
export const PROVIDERS = {
  entra: { preset: 'entra', tenant: TENANT },
  keycloak: { preset: 'keycloak', url: 'https://sso.example', realm: 'clinic' },
  google: { preset: 'google' },
  okta: { preset: 'okta', domain: 'example.okta.com' },
  generic: { preset: 'generic', issuer: 'https://idp.example' },
} as const satisfies Record<ProviderFlavour, Partial<UpstreamProvider>>

const ISSUERS: Record<ProviderFlavour, string> = {
  entra: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  keycloak: 'https://sso.example/realms/clinic',
  google: 'https://accounts.google.com',
  okta: 'https://example.okta.com',
  generic: 'https://idp.example',
}

export interface Upstream {
  readonly lab: LabOpenIdProvider
  readonly logins: UpstreamLogins
  /** Requests that reached the provider, by method and path. */
  readonly requests: string[]
  readonly clock: { nowMs: number }
}

export interface UpstreamOptions {
  readonly provider?: Partial<UpstreamProvider>
  readonly users?: readonly LabUser[]
  readonly client?: { readonly [member in keyof LabClient]?: LabClient[member] | undefined }
  readonly issuer?: string
  readonly deps?: Partial<UpstreamLoginsDeps>
  /** Posts the logout tokens of the lab. */
  readonly labFetch?: typeof fetch
}

export const callbackUrl = (provider: string) =>
  `https://fhir.example/oauth/login/${provider}/callback`

/** A lab provider at the address of a real one, and logins that reach it without a socket. */
export function openUpstream(flavour: ProviderFlavour, options: UpstreamOptions = {}): Upstream {
  const clock = { nowMs: Date.now() }
  const requests: string[] = []
  const lab = createLabOpenIdProvider({
    flavour,
    issuer: options.issuer ?? ISSUERS[flavour],
    now: () => Math.floor(clock.nowMs / 1000),
    clients: [
      {
        clientId: 'scopegate',
        secret: SECRET,
        redirectUris: [callbackUrl(flavour)],
        postLogoutRedirectUris: ['https://fhir.example/signed-out'],
        ...options.client,
      } as LabClient,
    ],
    ...(options.users === undefined ? {} : { users: options.users }),
    ...(options.labFetch === undefined ? {} : { fetch: options.labFetch }),
  })
  const logins = createUpstreamLogins({
    providers: [
      {
        name: flavour,
        ...PROVIDERS[flavour],
        clientId: 'scopegate',
        authentication: { method: 'secret', secret: SECRET },
        ...options.provider,
      },
    ],
    sealer,
    callbackUrl,
    nowMs: () => clock.nowMs,
    fetch: async (url, init) => {
      requests.push(`${init.method ?? 'GET'} ${new URL(url).pathname}`)
      return lab.fetch(new Request(url, init))
    },
    ...options.deps,
  })
  return { lab, logins, requests, clock }
}

/** What a browser does at the provider: chooses a user and follows the redirect. */
export async function chooseUser(
  lab: LabOpenIdProvider,
  redirectTo: string,
  user: string,
): Promise<URL> {
  const chooser = await lab.fetch(new Request(redirectTo))
  const page = await chooser.text()
  const link = new RegExp(`id="lab-user-${user}" href="([^"]+)"`).exec(page)?.[1]
  if (chooser.status !== 200 || link === undefined) {
    const location = chooser.headers.get('location')
    if (location !== null) return new URL(location)
    throw new Error(`no user to choose: ${chooser.status} ${page}`)
  }
  const path = link.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
  const answer = await lab.fetch(new Request(new URL(path, redirectTo)))
  return new URL(answer.headers.get('location') ?? '')
}

/** A whole sign-in at the only provider of `upstream`. */
export async function signIn(
  { lab, logins }: Upstream,
  user = 'nora',
  fault?: LabFault,
): Promise<CompletedLogin> {
  const [{ name } = { name: '' }] = logins.list()
  const { redirectTo, state } = await logins.begin(name, { returnTo: '/account' })
  if (fault !== undefined) lab.faults.add(fault)
  const answered = await chooseUser(lab, redirectTo, user)
  return logins.complete(name, answered, state)
}

/** The refusal that `run` ends in; anything else fails the test. */
export async function refusalOf(run: () => Promise<unknown>): Promise<LoginRefused> {
  try {
    await run()
  } catch (error) {
    if (error instanceof LoginRefused) return error
    throw error
  }
  throw new Error('nothing was refused')
}
