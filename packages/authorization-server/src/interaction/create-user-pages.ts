import type { Passkeys, Sessions, Users } from '@scopegate/identity'
import type { PatientDirectory } from '@scopegate/oauth-model'
import type { UpstreamLogins } from '@scopegate/oidc-login'
import type { Sealer } from '@scopegate/secrets'
import { type AccountEvent, createAccount } from '../account/create-account.ts'
import type { SignInParts } from '../authorization-server.ts'
import type { Controller } from '../controller.ts'
import type { Pages } from '../pages/create-pages.ts'
import { PASSKEY_SCRIPT_PATH } from '../pages/passkey-script.ts'
import { createInteraction, type InteractionEvent } from './create-interaction.ts'
import { createSignIn } from './sign-in.ts'
import { createUpstreamCallback } from './upstream-callback.ts'
import { createUpstreamLogout } from './upstream-logout.ts'

export interface UserPagesDeps {
  readonly pages: Pages
  readonly users: Users
  readonly sessions: Sessions
  /** Missing where browsers make none. @see relyingPartyOf */
  readonly passkeys?: Passkeys
  readonly directory: PatientDirectory
  readonly sealer: Sealer
  readonly upstreamLogins?: UpstreamLogins
  /** Take launches that a launcher wrote itself, which nothing proves: for development. */
  readonly foreignLaunches?: boolean
  readonly minPasswordCharacters?: number
  /** What users did, for the audit. */
  readonly onEvent?: (event: InteractionEvent | AccountEvent) => void
  readonly onError?: (error: unknown, correlationId: string) => void
}

/**
 * Everything that users see, for `signIn.controllers` of the authorization server: the steps of a
 * launch, sign-in elsewhere, their own account, and the stylesheet of all of it.
 */
export function createUserPages(
  deps: UserPagesDeps,
): (parts: SignInParts) => readonly Controller[] {
  const { pages } = deps
  return (parts) => {
    const common = {
      ...deps,
      ...parts,
      endSession: parts.logOut,
      clientAddress: parts.addressOf,
      correlationId: parts.correlationIdOf,
    }
    const signIn = createSignIn(common)
    const { upstreamLogins } = deps
    const stylesheet: Controller = {
      routes: [pages.stylesheetPath],
      owns: (path) => path === pages.stylesheetPath,
      handle: async (request, response) => pages.serveStylesheet(request, response),
    }
    const passkeyScript: Controller = {
      routes: [PASSKEY_SCRIPT_PATH],
      owns: (path) => path === PASSKEY_SCRIPT_PATH,
      handle: async (request, response) => pages.servePasskeyScript(request, response),
    }
    return [
      stylesheet,
      ...(deps.passkeys === undefined ? [] : [passkeyScript]),
      createInteraction({
        ...common,
        signIn,
        accessTokenSeconds: parts.userAccessTokenSeconds,
        offlineSeconds: parts.refreshTokenSeconds,
      }),
      ...(upstreamLogins === undefined
        ? []
        : [
            createUpstreamLogout({ ...common, upstreamLogins }),
            createUpstreamCallback({ ...common, signIn, upstreamLogins }),
          ]),
      createAccount({ ...common, signIn }),
    ]
  }
}
