import { createHash } from 'node:crypto'
import {
  createSessions,
  createUsers,
  type NewUser,
  type User,
  type Users,
} from '@scopegate/identity'
import { createSealer } from '@scopegate/secrets'
import type { AccountEvent } from '../account/create-account.ts'
import type { AuthorizationServerDeps } from '../authorization-server.ts'
import type { InteractionEvent } from '../interaction/create-interaction.ts'
import { createUserPages, type UserPagesDeps } from '../interaction/create-user-pages.ts'
import { createPages, type PagesOptions } from '../pages/create-pages.ts'
import { createEnginePages } from '../pages/engine-pages.ts'
import { createFixedDirectory } from './fixed-directory.ts'
import { type StartedServer, startServer } from './start-server.ts'

export interface StartedWithPeople extends StartedServer {
  readonly users: Users
  readonly events: (InteractionEvent | AccountEvent)[]
  addUser(user: NewUser & { readonly password: string }): Promise<User>
}

export const PASSWORD = 'seven quiet lanterns'

const sealer = createSealer([{ id: 'testtest', key: Buffer.alloc(32, 7) }])

/** An authorization server with users, sessions and all pages; the directory is a fixed one. */
export async function startWithPeople(
  storage: AuthorizationServerDeps['storage'],
  options: {
    readonly pages?: Omit<PagesOptions, 'issuer'>
    readonly user?: Partial<UserPagesDeps>
    readonly server?: Partial<AuthorizationServerDeps>
    readonly nowMs?: () => number
  } = {},
): Promise<StartedWithPeople> {
  const { pool } = storage
  const nowMs = options.nowMs ?? Date.now
  const users = createUsers({
    ...{ pool, sealer, nowMs },
    addressKey: createHash('sha256').update('test addresses').digest(),
  })
  const sessions = createSessions({ pool, nowMs, idleSeconds: 1800, absoluteSeconds: 36_000 })
  const events: StartedWithPeople['events'] = []
  // What the pages need of the issuer is known once the port is: cookies are plain on loopback.
  const pages = createPages({
    issuer: options.server?.issuer ?? 'http://127.0.0.1',
    ...options.pages,
  })
  const errors: unknown[] = []
  const started = await startServer(storage, {
    ...options.server,
    signIn: {
      users,
      sessions,
      pages: createEnginePages(pages),
      controllers: createUserPages({
        ...{ pages, users, sessions, sealer },
        directory: createFixedDirectory(),
        onEvent: (event) => events.push(event),
        onError: (error) => errors.push(error),
        ...options.user,
      }),
    },
  })
  return {
    ...started,
    users,
    events,
    errors,
    async addUser(user) {
      const added = await users.add(user)
      if (!added.ok) throw new Error(added.why)
      // A password that is given at once still is a one-time one until it is set as the user's own.
      await users.setPassword(added.user.id, { password: user.password, mustChange: false })
      return added.user
    },
  }
}
