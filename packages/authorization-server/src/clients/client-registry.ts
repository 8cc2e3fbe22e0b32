import type {
  ClientAnswer,
  ClientChange,
  ClientRegistration,
  ClientRegistry as ClientRegistryPort,
  ClientView,
  ClientWithSecret,
} from '@scopegate/oauth-model'
import type { NetworkPolicy } from '@scopegate/token-verify'
import type { Pool, PoolClient } from 'pg'
import {
  type CheckedRegistration,
  checkRegistration,
  type RegistrationProblem,
} from './check-registration.ts'
import { viewOf } from './client.ts'
import { idProblems, newClientId } from './client-id.ts'
import { generateSecret } from './client-secret.ts'
import {
  findClient,
  insertClient,
  insertSecret,
  listClients,
  lockClient,
  updateClient,
} from './client-store.ts'
import { type DeclaredClient, declareClients } from './declared-clients.ts'
import { needsSecret } from './needs-secret.ts'
import { declareOwnWebApps, type OwnWebApp } from './own-web-apps.ts'

export type { DeclaredClient }

/** The registry, with what only the server itself does. */
export interface ClientRegistry extends ClientRegistryPort {
  /**
   * Makes the clients of the configuration exist as they are declared, and those that are no longer
   * declared not. @throws {RegistrationRefused}
   */
  declare(clients: readonly DeclaredClient[]): Promise<void>
  /** Makes the clients of the web apps that this server signs people in to; others of them go. */
  declareOwnWebApps(apps: readonly OwnWebApp[]): Promise<void>
  /**
   * A client of the server itself, with a new secret for the holder `label`; a former secret of the
   * same holder ends, those of others stay.
   */
  issueInternal(client: {
    readonly id: string
    readonly name: string
    readonly scopes: string
    readonly label: string
  }): Promise<{ readonly client_id: string; readonly client_secret: string }>
}

export interface ClientRegistryDeps {
  readonly pool: Pool
  readonly transaction: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>
  /** Ends what users gave a client that is gone; another may get its id. */
  readonly endGrants: (clientId: string) => Promise<unknown>
  /** Ends the access tokens that a client holds, those of client credentials too. */
  readonly endTokens: (clientId: string) => Promise<unknown>
  /** Which `jwks_uri` may be registered. */
  readonly network: NetworkPolicy
  /** Scopes that ordinary APIs have named. */
  readonly apiScopes?: readonly string[]
}

const DAY_SECONDS = 86_400

export function createClientRegistry(deps: ClientRegistryDeps): ClientRegistry {
  const { pool, transaction, network, apiScopes = [], endGrants, endTokens } = deps

  async function find(id: string): Promise<ClientView | undefined> {
    const client = await findClient(pool, id)
    return client && viewOf(client)
  }

  /** The client, if it may be changed here. */
  async function findStored(id: string): Promise<ClientAnswer<{ readonly client: ClientView }>> {
    const client = await find(id)
    if (client === undefined) return noClient(id)
    if (client.source === 'stored' || client.source === 'dynamic') return { ok: true, client }
    return client.source === 'config'
      ? refuse(409, `client \`${id}\` is declared in the configuration`, 'change it there')
      : refuse(409, `client \`${id}\` belongs to the server itself`)
  }

  return {
    find,

    async list() {
      return (await listClients(pool)).map(viewOf)
    },

    async add(registration) {
      const { problems, checked } = checkRegistration(registration, network, apiScopes)
      const id = registration.clientId ?? newClientId(registration.name)
      const bad = [...problems, ...idProblems(id)]
      if (checked === undefined || bad.length > 0) return refuse(400, ...inWords(bad))
      // Whatever a former holder of the id has left must not become this one's.
      if (registration.clientId !== undefined && (await find(id)) === undefined) await endGrants(id)
      const secret = needsSecret(checked) ? generateSecret() : undefined
      const isNew = await transaction(async (sql) => {
        const { rowCount } = await insertClient(sql, id, 'stored', checked)
        if (rowCount === 1 && secret !== undefined) await insertSecret(sql, id, secret)
        return rowCount === 1
      })
      if (!isNew) return refuse(409, `there is a client \`${id}\` already`, 'choose another id')
      const client = (await find(id)) as ClientView
      return { ok: true, client, ...(secret === undefined ? {} : { clientSecret: secret }) }
    },

    async update(id, { disabled, ...change }) {
      const found = await findStored(id)
      if (!found.ok) return found
      const answer = await transaction(async (sql): Promise<ClientAnswer<ClientWithSecret>> => {
        const locked = await lockClient(sql, id)
        if (locked === undefined) return noClient(id)
        const { client: former, registration } = locked
        const { problems, checked } = checkRegistration(
          merge(registration, change),
          network,
          apiScopes,
        )
        if (checked === undefined) return refuse(400, ...inWords(problems))
        if (former.source === 'dynamic' && checked.consent === 'skip') {
          return refuse(
            400,
            'consent: a client that registered itself always asks',
            'register a client yourself, or choose `remember`',
          )
        }
        await updateClient(sql, id, disabled ?? former.disabled, checked)
        const hasSecret = needsSecret(registration)
        if (hasSecret && !needsSecret(checked)) {
          await sql.query('DELETE FROM client_secret WHERE client_id = $1', [id])
        }
        const clientSecret = needsSecret(checked) && !hasSecret ? generateSecret() : undefined
        if (clientSecret !== undefined) await insertSecret(sql, id, clientSecret)
        const client = viewOf((await lockClient(sql, id))?.client ?? former)
        return { ok: true, client, ...(clientSecret === undefined ? {} : { clientSecret }) }
      })
      if (answer.ok && answer.client.disabled) await endTokens(id)
      return answer
    },

    async rotateSecret(id, { overlapSeconds = DAY_SECONDS } = {}) {
      const found = await findStored(id)
      if (!found.ok) return found
      if (found.client.authentication !== 'secret') {
        return refuse(
          409,
          found.client.public
            ? `client \`${id}\` has no secret: it is public`
            : `client \`${id}\` has no secret: it signs with its own keys`,
          found.client.public ? 'make it confidential first' : 'publish new keys in its key set',
        )
      }
      const secret = generateSecret()
      await transaction(async (sql) => {
        await sql.query(
          `UPDATE client_secret
              SET expires_at = least(expires_at, now() + make_interval(secs => $2))
            WHERE client_id = $1`,
          [id, overlapSeconds],
        )
        await sql.query('DELETE FROM client_secret WHERE client_id = $1 AND expires_at <= now()', [
          id,
        ])
        await insertSecret(sql, id, secret)
        await sql.query('UPDATE client SET updated_at = now() WHERE id = $1', [id])
      })
      return { ok: true, clientSecret: secret }
    },

    async remove(id) {
      const found = await findStored(id)
      if (!found.ok) return found
      await pool.query(`DELETE FROM client WHERE id = $1 AND source IN ('stored', 'dynamic')`, [id])
      await endGrants(id)
      await endTokens(id)
      return { ok: true }
    },

    async setDisabled(id, disabled) {
      const found = await findStored(id)
      if (!found.ok) return found
      await pool.query('UPDATE client SET disabled = $2, updated_at = now() WHERE id = $1', [
        id,
        disabled,
      ])
      if (disabled) await endTokens(id)
      return { ok: true, client: { ...found.client, disabled } }
    },

    async declare(clients) {
      const gone = await declareClients(clients, { transaction, network, apiScopes })
      for (const id of gone) {
        await endGrants(id)
        await endTokens(id)
      }
    },

    async declareOwnWebApps(apps) {
      for (const id of await declareOwnWebApps(apps, transaction)) {
        await endGrants(id)
        await endTokens(id)
      }
    },

    async issueInternal({ id, name, scopes, label }) {
      const secret = generateSecret()
      await transaction(async (sql) => {
        const { rowCount } = await insertClient(sql, id, 'internal', {
          name,
          scopes,
          grants: ['client_credentials'],
          public: false,
          redirectUris: [],
          postLogoutRedirectUris: [],
          dpopBound: false,
          requirePar: false,
          consent: 'ask',
        })
        if (rowCount !== 1) throw new Error(`client \`${id}\` exists and is not the server's own`)
        await sql.query('DELETE FROM client_secret WHERE client_id = $1 AND label = $2', [
          id,
          label,
        ])
        await insertSecret(sql, id, secret, label)
      })
      return { client_id: id, client_secret: secret }
    },
  }
}

/**
 * The registration with the change on it. A new way to authenticate takes the place of the former
 * one, unless both are named.
 */
function merge(
  registration: CheckedRegistration,
  change: Omit<ClientChange, 'disabled'>,
): ClientRegistration {
  const { jwks, jwksUri, public: isPublic, ...rest } = registration
  const isOther = [change.jwks, change.jwksUri, change.public || undefined].some(
    (value) => value !== undefined && value !== null,
  )
  const way = isOther
    ? {}
    : { public: isPublic, ...(jwks && { jwks }), ...(jwksUri !== undefined && { jwksUri }) }
  const members = Object.entries({ ...rest, ...way, ...change })
  const kept = members.filter(([, value]) => value !== null && value !== undefined)
  // What must be there and was set to null is found missing by the check.
  return { name: '', scopes: '', grants: [], ...Object.fromEntries(kept) }
}

function noClient(id: string) {
  return refuse(404, `there is no client \`${id}\``, 'see `scopegate client list`')
}

function refuse(status: 400 | 404 | 409, why: string, fix?: string) {
  return { ok: false as const, status, why, ...(fix === undefined ? {} : { fix }) }
}

function inWords(problems: readonly RegistrationProblem[]): [why: string, fix: string] {
  return [
    problems.map(({ member, why }) => `${member}: ${why}`).join('; '),
    problems.map(({ fix }) => fix).join('; '),
  ]
}
