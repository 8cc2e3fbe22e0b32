import { randomBytes } from 'node:crypto'
import { CliError } from '../cli-error.ts'
import type { AdminClient } from '../connection/admin-client.ts'

/** What a lesson makes at the server and takes away again. */
export interface Temporaries {
  addClient(members: Readonly<Record<string, unknown>>): Promise<TemporaryClient>
  /** A user who is this FHIR resource, with a password of its own. */
  addUser(fhirUser: string): Promise<TemporaryUser>
  /** Removes everything, the newest first, whatever fails. @returns what is still there */
  removeAll(): Promise<readonly string[]>
}

export interface TemporaryClient {
  readonly clientId: string
  readonly clientSecret?: string
}

export interface TemporaryUser {
  readonly id: string
  readonly username: string
  readonly password: string
}

const NAME = 'scopegate learn (temporary)'
/** A lesson takes seconds: what is older was left by one that was killed. */
const STALE_SECONDS = 3600

export function createTemporaries(admin: AdminClient): Temporaries {
  const made: string[] = []
  let making: Promise<unknown> = Promise.resolve()
  let isOver = false

  /** Remembers what was made, also when the lesson is ended while the server makes it. */
  async function make<Made>(
    path: string,
    body: Readonly<Record<string, unknown>>,
    idOf: (added: Made) => string,
  ): Promise<Made> {
    if (isOver) throw new CliError('the lesson was ended')
    const added = admin.call<Made>('POST', path, body)
    making = added.then(
      (answer) => made.push(`${path}/${encodeURIComponent(idOf(answer))}`),
      () => undefined,
    )
    return added
  }

  async function removeAll(): Promise<readonly string[]> {
    isOver = true
    await making
    const left: string[] = []
    for (const path of made.splice(0).reverse()) {
      await admin.call('DELETE', path).catch(() => left.push(path))
    }
    return left
  }

  return {
    removeAll,
    async addClient(members) {
      const added = await make<{ client_id: string; client_secret?: string }>(
        '/clients',
        { name: NAME, ...members },
        ({ client_id }) => client_id,
      )
      return {
        clientId: added.client_id,
        ...(added.client_secret !== undefined && { clientSecret: added.client_secret }),
      }
    },
    async addUser(fhirUser) {
      const username = `learn-${randomBytes(6).toString('hex')}`
      const password = randomBytes(24).toString('base64url')
      const added = await make<{ id: string }>(
        '/users',
        { username, name: NAME, fhir_user: fhirUser, password },
        ({ id }) => id,
      )
      return { id: added.id, username, password }
    },
  }
}

/** Removes what lessons left that were killed before they could. */
export async function removeStale(admin: AdminClient, withUsers: boolean): Promise<void> {
  const { clients } = await admin.call<{
    clients: { client_id: string; name: string; created_at: number }[]
  }>('GET', '/clients')
  const { users } = withUsers
    ? await admin.call<{ users: { id: string; name: string; created_at: number }[] }>(
        'GET',
        `/users?text=${encodeURIComponent('learn-')}&count=100`,
      )
    : { users: [] }
  const before = Date.now() / 1000 - STALE_SECONDS
  const isStale = (each: { name: string; created_at: number }) =>
    each.name === NAME && each.created_at < before
  for (const path of [
    ...clients.filter(isStale).map(({ client_id }) => `/clients/${encodeURIComponent(client_id)}`),
    ...users.filter(isStale).map(({ id }) => `/users/${encodeURIComponent(id)}`),
  ]) {
    await admin.call('DELETE', path).catch((error) => {
      if (!(error instanceof CliError)) throw error
    })
  }
}
