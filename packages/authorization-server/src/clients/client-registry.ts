import { randomBytes } from 'node:crypto'
import type { NetworkPolicy } from '@scopegate/token-verify'
import type { Pool, PoolClient } from 'pg'
import { type ClientView, viewOf } from './client.ts'
import { generateSecret, hashSecret, MIN_SECRET_CHARACTERS } from './client-secret.ts'
import { findClient, insertClient, insertSecret, listClients } from './client-store.ts'
import {
  type CheckedRegistration,
  type ClientRegistration,
  checkRegistration,
  type RegistrationProblem,
  RegistrationRefused,
} from './registration.ts'

/** What came of a change; a refusal says what to do, and goes to the operator as it is. */
export type ClientAnswer<Value> =
  | ({ readonly ok: true } & Value)
  | {
      readonly ok: false
      readonly status: 400 | 404 | 409
      readonly why: string
      readonly fix?: string
    }

export interface NewClient extends ClientRegistration {
  /** Made from the name when missing. */
  readonly clientId?: string
}

/** A client of the configuration. */
export interface DeclaredClient extends ClientRegistration {
  readonly id: string
  readonly secret?: string
}

/** Who may ask for tokens. Secrets come out once, where they are made. */
export interface ClientRegistry {
  list(): Promise<readonly ClientView[]>
  find(clientId: string): Promise<ClientView | undefined>
  add(
    client: NewClient,
  ): Promise<ClientAnswer<{ readonly client: ClientView; readonly clientSecret?: string }>>
  /** The secrets before the new one go on for `overlapSeconds`: default one day, 0 not at all. */
  rotateSecret(
    clientId: string,
    options?: { readonly overlapSeconds?: number },
  ): Promise<ClientAnswer<{ readonly clientSecret: string }>>
  /** Tokens that it holds live on until they expire. */
  remove(clientId: string): Promise<ClientAnswer<object>>
  setDisabled(
    clientId: string,
    disabled: boolean,
  ): Promise<ClientAnswer<{ readonly client: ClientView }>>
  /**
   * Makes the clients of the configuration exist as they are declared, and those that are no longer
   * declared not. @throws {RegistrationRefused}
   */
  declare(clients: readonly DeclaredClient[]): Promise<void>
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
  /** Which `jwks_uri` may be registered. */
  readonly network: NetworkPolicy
}

const DAY_SECONDS = 86_400

export function createClientRegistry(deps: ClientRegistryDeps): ClientRegistry {
  const { pool, transaction, network } = deps

  async function find(id: string): Promise<ClientView | undefined> {
    const client = await findClient(pool, id)
    return client && viewOf(client)
  }

  /** The client, if it may be changed here. */
  async function findStored(id: string): Promise<ClientAnswer<{ readonly client: ClientView }>> {
    const client = await find(id)
    if (client === undefined) {
      return refuse(404, `there is no client \`${id}\``, 'see `scopegate client list`')
    }
    if (client.source === 'stored') return { ok: true, client }
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
      const { problems, checked } = checkRegistration(registration, network)
      const id = registration.clientId ?? newClientId(registration.name)
      const bad = [...problems, ...idProblems(id)]
      if (checked === undefined || bad.length > 0) return refuse(400, ...inWords(bad))
      const secret = usesKeys(checked) ? undefined : generateSecret()
      const isNew = await transaction(async (sql) => {
        const { rowCount } = await insertClient(sql, id, 'stored', checked)
        if (rowCount === 1 && secret !== undefined) await insertSecret(sql, id, secret)
        return rowCount === 1
      })
      if (!isNew) return refuse(409, `there is a client \`${id}\` already`, 'choose another id')
      const client = (await find(id)) as ClientView
      return { ok: true, client, ...(secret === undefined ? {} : { clientSecret: secret }) }
    },

    async rotateSecret(id, { overlapSeconds = DAY_SECONDS } = {}) {
      const found = await findStored(id)
      if (!found.ok) return found
      if (found.client.authentication !== 'secret') {
        return refuse(
          409,
          `client \`${id}\` has no secret: it signs with its own keys`,
          'publish new keys in its key set',
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
      await pool.query(`DELETE FROM client WHERE id = $1 AND source = 'stored'`, [id])
      return { ok: true }
    },

    async setDisabled(id, disabled) {
      const found = await findStored(id)
      if (!found.ok) return found
      await pool.query('UPDATE client SET disabled = $2, updated_at = now() WHERE id = $1', [
        id,
        disabled,
      ])
      return { ok: true, client: { ...found.client, disabled } }
    },

    async declare(clients) {
      const checked = clients.map((client) => ({
        client,
        registration: checkDeclared(client, network),
      }))
      await transaction(async (sql) => {
        // Two processes with one configuration start at the same moment.
        await sql.query(`SELECT pg_advisory_xact_lock(hashtext('scopegate.declared-clients'))`)
        await sql.query(`DELETE FROM client WHERE source = 'config' AND NOT id = ANY($1)`, [
          clients.map(({ id }) => id),
        ])
        for (const { client, registration } of checked) {
          const { rowCount } = await insertClient(sql, client.id, 'config', registration)
          if (rowCount !== 1) {
            throw new RegistrationRefused([
              {
                member: `clients.${client.id}`,
                why: 'a client with this id was added at run time',
                fix: `choose another id, or remove that one with \`scopegate client remove ${client.id}\``,
              },
            ])
          }
          const hashes = client.secret === undefined ? [] : [hashSecret(client.secret)]
          await sql.query(
            `DELETE FROM client_secret WHERE client_id = $1 AND NOT encode(hash, 'base64') = ANY($2)`,
            [client.id, hashes.map((hash) => Buffer.from(hash, 'base64url').toString('base64'))],
          )
          if (client.secret !== undefined) await insertSecret(sql, client.id, client.secret)
        }
      })
    },

    async issueInternal({ id, name, scopes, label }) {
      const secret = generateSecret()
      await transaction(async (sql) => {
        const { rowCount } = await insertClient(sql, id, 'internal', {
          name,
          scopes,
          grants: ['client_credentials'],
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

function usesKeys({ jwks, jwksUri }: CheckedRegistration): boolean {
  return jwks !== undefined || jwksUri !== undefined
}

/** @throws {RegistrationRefused} */
function checkDeclared(client: DeclaredClient, network: NetworkPolicy): CheckedRegistration {
  const { problems, checked } = checkRegistration(client, network)
  const all = [...problems, ...idProblems(client.id)]
  if (checked !== undefined && !usesKeys(checked)) {
    if ((client.secret?.length ?? 0) < MIN_SECRET_CHARACTERS) {
      all.push({
        member: 'secret',
        why:
          client.secret === undefined
            ? 'missing, and there are no keys'
            : `shorter than ${MIN_SECRET_CHARACTERS} characters`,
        fix: 'make one with `openssl rand -hex 32`',
      })
    }
  }
  if (checked === undefined || all.length > 0) {
    const named = all.map((problem) => ({
      ...problem,
      member: `clients.${client.id}.${problem.member}`,
    }))
    throw new RegistrationRefused(named)
  }
  return checked
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

function idProblems(id: string): RegistrationProblem[] {
  if (!/^[A-Za-z0-9._~-]{1,128}$/.test(id)) {
    return [
      {
        member: 'clientId',
        why: 'holds characters that OAuth libraries encode differently',
        fix: 'use letters, digits and . _ ~ -, at most 128',
      },
    ]
  }
  // The `sub` of a program is its client id: it must never look like the one of a user.
  const reserved = ['usr_', 'scopegate-'].find((prefix) => id.startsWith(prefix))
  return reserved === undefined
    ? []
    : [
        {
          member: 'clientId',
          why: `begins with \`${reserved}\`, which is kept`,
          fix: 'choose another',
        },
      ]
}

/** A readable id that cannot be guessed to be somebody else's: the name, and 36 random bits. */
function newClientId(name: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const random = randomBytes(5).toString('hex').slice(0, 9)
  return `${words.slice(0, 40) || 'client'}-${random}`
}
