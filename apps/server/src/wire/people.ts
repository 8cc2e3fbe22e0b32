import type { TraceSink } from '@scopegate/audit'
import {
  createEnginePages,
  createPages,
  createUserPages,
  type SignInDeps,
  upstreamCallbackPath,
} from '@scopegate/authorization-server'
import {
  createBasicAuthentication,
  createPasskeys,
  createSessions,
  createUsers,
  deleteExpiredIdentity,
  relyingPartyOf,
  type Sessions,
  type Users,
} from '@scopegate/identity'
import type { PasswordAuthentication, PatientDirectory } from '@scopegate/oauth-model'
import {
  createSharedUseOnce,
  createUpstreamLogins,
  LoginRefused,
  LogoutTokenRefused,
} from '@scopegate/oidc-login'
import type { Storage } from '@scopegate/storage'
import { upstreamProviders } from '../config/configured-provider.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../operations/logger.ts'
import { recordLoginRefusal } from '../operations/record-login-refusal.ts'
import type { UserEvent } from '../operations/record-user-event.ts'
import type { Keys } from './keys.ts'

const CLEANUP_MS = 60_000

/** Who can sign in, and the pages they see. */
export interface People {
  readonly users: Users
  readonly sessions: Sessions
  /** HTTP Basic, where it is accepted. */
  readonly passwords: PasswordAuthentication
  readonly signIn: SignInDeps
  close(): void
}

export interface PeopleDeps {
  readonly config: Config
  readonly storage: Storage
  readonly keys: Keys
  readonly directory: PatientDirectory
  readonly log: Logger
  readonly nowMs: () => number
  readonly traces: TraceSink
  readonly onEvent: (event: UserEvent) => void
}

export function wirePeople(deps: PeopleDeps): People {
  const { config, storage, keys, log, nowMs } = deps
  const { settings, url } = config
  const { pool } = storage
  const users = createUsers({
    pool,
    sealer: keys.sealer,
    nowMs,
    addressKey: keys.derive('sign-in addresses'),
    totpIssuer: settings.pages.name,
    contextWords: [settings.pages.name, new URL(url).hostname, ...settings.passwords.contextWords],
    minPasswordCharacters: settings.passwords.minimumLength,
    attemptLimits: { freePerAddress: settings.limits.signInFailuresPerAddress },
  })
  const relyingParty = relyingPartyOf(url, settings.pages.name)
  const idleSeconds = settings.sessions.idleMinutes * 60
  const sessions = createSessions({
    pool,
    nowMs,
    idleSeconds,
    absoluteSeconds: settings.sessions.absoluteHours * 3600,
  })
  const { name, colour, frameAncestors } = settings.pages
  const pages = createPages({
    issuer: url,
    theme: {
      name,
      ...(colour !== undefined && { colour }),
      ...(config.logo !== undefined && { logo: config.logo }),
    },
    frameAncestors,
  })
  const onError = (error: unknown, correlationId: string) => {
    if (error instanceof LoginRefused) {
      recordLoginRefusal(error, { ...deps, correlationId, issuer: url })
    } else if (error instanceof LogoutTokenRefused) {
      log.warn({ correlationId, reason: error.message }, 'logout token refused')
    } else {
      log.error({ error, correlationId }, 'sign-in failed')
    }
  }
  const cleaning = setInterval(() => {
    deleteExpiredIdentity({ pool, nowMs: nowMs(), idleSeconds }).catch((error) =>
      onError(error, 'cleanup'),
    )
  }, CLEANUP_MS)
  cleaning.unref()
  return {
    users,
    sessions,
    passwords: createBasicAuthentication({ users, nowMs }),
    close: () => clearInterval(cleaning),
    signIn: {
      users,
      sessions,
      pages: createEnginePages(pages),
      controllers: createUserPages({
        ...{ pages, users, sessions, onError },
        ...(relyingParty && {
          passkeys: createPasskeys({
            ...{ pool, nowMs, relyingParty },
            addressKey: keys.derive('sign-in addresses'),
          }),
        }),
        sealer: keys.sealer,
        directory: deps.directory,
        minPasswordCharacters: settings.passwords.minimumLength,
        foreignLaunches: settings.launches.acceptForeign,
        ...(config.providers.length > 0 && {
          upstreamLogins: createUpstreamLogins({
            providers: upstreamProviders(config.providers),
            sealer: keys.sealer,
            callbackUrl: (provider) => `${url}${upstreamCallbackPath(provider)}`,
            clockToleranceSeconds: settings.tokens.clockToleranceSeconds,
            useOnce: createSharedUseOnce(pool),
            nowMs,
          }),
        }),
        onEvent: deps.onEvent,
      }),
    },
  }
}
