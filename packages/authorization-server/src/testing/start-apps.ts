import type { AuthorizationServerDeps } from '@scopegate/authorization-server'
import type { NewClient } from '@scopegate/oauth-model'
import { REDIRECT_URI } from './launch-app.ts'
import { createSignInStub, type SignInStub } from './sign-in-stub.ts'
import { type StartedServer, startServer } from './start-server.ts'

const SCOPES =
  'openid fhirUser profile email launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

export interface StartedApps extends StartedServer {
  readonly signIn: SignInStub
  /** Adds an app; `secret` for one that is not public. */
  addApp(app?: Partial<NewClient>): Promise<{ readonly id: string; readonly secret: string }>
}

/** A server where people launch apps. */
export async function startApps(
  storage: AuthorizationServerDeps['storage'],
  overrides: Partial<AuthorizationServerDeps> = {},
): Promise<StartedApps> {
  const signIn = createSignInStub()
  const at = await startServer(storage, { signIn, ...overrides })
  return {
    ...at,
    signIn,
    async addApp(app = {}) {
      const added = await at.server.clients.add({
        name: 'App',
        public: true,
        scopes: SCOPES,
        grants: ['authorization_code', 'refresh_token', DEVICE],
        redirectUris: [REDIRECT_URI],
        ...app,
      })
      if (!added.ok) throw new Error(added.why)
      return { id: added.client.clientId, secret: added.clientSecret ?? '' }
    },
  }
}

/** The claims of a JWT, which is not verified. */
export function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

export function headerOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString('utf8'))
}
