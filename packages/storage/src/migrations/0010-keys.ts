import type { ClientBase } from 'pg'

export const name = '0010-keys'

/**
 * Keys that sign for others: a set has one that signs, one that is published before it does, and
 * those that signed before. Points in time are epoch milliseconds of the servers' clocks.
 */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    CREATE TABLE sign_key_set (
      name          text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
      -- config: declared in the configuration, read-only elsewhere.
      source        text NOT NULL CHECK (source IN ('config', 'stored')),
      -- The usual one first; others only where a grant names them.
      algorithms    text[] NOT NULL CHECK (cardinality(algorithms) > 0),
      -- Of what kind the next key is made; missing where keys are imported.
      generated     text,
      -- What becomes of signing once the certificate has expired.
      when_expired  text NOT NULL CHECK (when_expired IN ('refuse', 'warn')),
      created_ms    bigint NOT NULL
    );

    CREATE TABLE sign_key (
      set_name      text COLLATE "C" NOT NULL REFERENCES sign_key_set (name) ON DELETE CASCADE,
      kid           text COLLATE "C" NOT NULL,
      state         text NOT NULL CHECK (state IN ('next', 'current', 'retired')),
      public_jwk    jsonb NOT NULL,
      -- PKCS #8 under the master key; gone once the key is retired.
      sealed        text,
      -- PEM, leaf first.
      certificates  text,
      -- Of the leaf: epoch seconds.
      not_before    bigint,
      not_after     bigint,
      published_ms  bigint NOT NULL,
      retired_ms    bigint,
      -- Until then what it signed may be verified, and the key stays published.
      gone_ms       bigint,
      PRIMARY KEY (set_name, kid),
      CHECK ((sealed IS NULL) = (state = 'retired')),
      CHECK ((retired_ms IS NULL) = (state <> 'retired')),
      CHECK ((gone_ms IS NULL) = (state <> 'retired'))
    );
    CREATE UNIQUE INDEX sign_key_one_per_role ON sign_key (set_name, state) WHERE state <> 'retired';

    -- Who may have what signed.
    CREATE TABLE sign_grant (
      set_name      text COLLATE "C" NOT NULL REFERENCES sign_key_set (name) ON DELETE CASCADE,
      holder_kind   text NOT NULL CHECK (holder_kind IN ('client', 'role')),
      holder        text COLLATE "C" NOT NULL,
      source        text NOT NULL CHECK (source IN ('config', 'stored')),
      template      jsonb NOT NULL,
      created_ms    bigint NOT NULL,
      PRIMARY KEY (set_name, holder_kind, holder)
    );
  `)
}
