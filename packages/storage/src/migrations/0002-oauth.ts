import type { ClientBase } from 'pg'

export const name = '0002-oauth'

/** Clients, their hashed secrets, used assertions, sealed signing keys. */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    CREATE TABLE client (
      id          text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._~-]{1,128}$'),
      name        text NOT NULL,
      -- config: declared in the configuration, read-only; stored: made over the admin API;
      -- internal: the server's own, such as the credential of the command line.
      source      text NOT NULL CHECK (source IN ('config', 'stored', 'internal')),
      grants      text[] NOT NULL,
      scopes      text NOT NULL,
      jwks        jsonb,
      jwks_uri    text,
      disabled    boolean NOT NULL DEFAULT false,
      created_at  timestamptz NOT NULL DEFAULT now(),
      updated_at  timestamptz NOT NULL DEFAULT now(),
      CHECK (jwks IS NULL OR jwks_uri IS NULL)
    );

    -- Only hashes: secrets are random, so SHA-256 without salt or stretching is enough.
    CREATE TABLE client_secret (
      client_id   text NOT NULL REFERENCES client (id) ON DELETE CASCADE,
      hash        bytea NOT NULL,
      -- Who holds it, where several hold one each (internal clients).
      label       text,
      created_at  timestamptz NOT NULL DEFAULT now(),
      expires_at  timestamptz,
      PRIMARY KEY (client_id, hash)
    );

    -- Assertions that were used, until they would have expired anyway.
    CREATE TABLE used_assertion (
      id          text PRIMARY KEY,
      expires_at  timestamptz NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX used_assertion_expires_at ON used_assertion (expires_at);

    CREATE TABLE signing_key (
      kid         text PRIMARY KEY,
      alg         text NOT NULL,
      -- next: published, not signing yet; current: signs; retired: published until its tokens expired.
      status      text NOT NULL CHECK (status IN ('next', 'current', 'retired')),
      public_jwk  jsonb NOT NULL,
      -- The private JWK under the master key; gone once the key is retired.
      sealed_jwk  text,
      created_at  timestamptz NOT NULL DEFAULT now(),
      retired_at  timestamptz,
      CHECK ((sealed_jwk IS NULL) = (status = 'retired')),
      CHECK ((retired_at IS NULL) = (status <> 'retired'))
    );
    CREATE UNIQUE INDEX signing_key_one_per_role ON signing_key (alg, status) WHERE status <> 'retired';
  `)
}
