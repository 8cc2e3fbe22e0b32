import type { ClientBase } from 'pg'

export const name = '0005-identity'

/**
 * Users, their second factors and sign-ins elsewhere, sessions, and what slows down guessing. Points
 * in time are epoch milliseconds of the servers' clocks.
 */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    CREATE TABLE identity_user (
      -- The prefix tells users from clients: both are subjects of tokens.
      id                   text COLLATE "C" PRIMARY KEY CHECK (id ~ '^u_[A-Za-z0-9_-]{22}$'),
      username             text NOT NULL,
      -- How it is compared: normalised and without case.
      username_key         text COLLATE "C" NOT NULL UNIQUE,
      name                 text NOT NULL,
      email                text,
      fhir_user            text,
      roles                text[] NOT NULL DEFAULT '{}',
      locale               text,
      disabled             boolean NOT NULL DEFAULT false,
      -- Argon2id with its parameters, sealed; missing where the user signs in elsewhere only.
      sealed_password      text,
      must_change_password boolean NOT NULL DEFAULT false,
      password_set_ms      bigint,
      created_ms           bigint NOT NULL,
      updated_ms           bigint NOT NULL
    );

    CREATE TABLE identity_totp (
      user_id        text COLLATE "C" PRIMARY KEY REFERENCES identity_user (id) ON DELETE CASCADE,
      -- Of the app that is asked for.
      sealed_secret  text,
      -- Of an app that has not shown a code yet.
      pending_secret text,
      -- The time step of the last accepted code: a code is taken once, and none before it.
      last_step      bigint NOT NULL DEFAULT 0,
      created_ms     bigint NOT NULL
    );

    CREATE TABLE identity_recovery_code (
      user_id text COLLATE "C" NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
      hash    bytea NOT NULL,
      PRIMARY KEY (user_id, hash)
    );

    CREATE TABLE identity_passkey (
      id           text COLLATE "C" PRIMARY KEY,
      user_id      text COLLATE "C" NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
      name         text NOT NULL,
      public_key   bytea NOT NULL,
      counter      bigint NOT NULL,
      transports   text[] NOT NULL DEFAULT '{}',
      created_ms   bigint NOT NULL,
      last_used_ms bigint
    );
    CREATE INDEX identity_passkey_user ON identity_passkey (user_id);

    CREATE TABLE identity_passkey_challenge (
      hash       bytea PRIMARY KEY,
      purpose    text NOT NULL CHECK (purpose IN ('register', 'sign-in')),
      user_id    text COLLATE "C" REFERENCES identity_user (id) ON DELETE CASCADE,
      expires_ms bigint NOT NULL
    );
    CREATE INDEX identity_passkey_challenge_expires ON identity_passkey_challenge (expires_ms);

    -- Who a user is at an issuer; issuer and subject are the key, never an e-mail address.
    CREATE TABLE identity_upstream (
      issuer       text COLLATE "C" NOT NULL,
      subject      text COLLATE "C" NOT NULL,
      user_id      text COLLATE "C" NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
      -- Columns of the user that came from there: they go when they come no more.
      managed      text[] NOT NULL DEFAULT '{}',
      created_ms   bigint NOT NULL,
      last_used_ms bigint NOT NULL,
      PRIMARY KEY (issuer, subject)
    );
    CREATE INDEX identity_upstream_user ON identity_upstream (user_id);

    CREATE TABLE identity_session (
      id          text COLLATE "C" PRIMARY KEY CHECK (id ~ '^s_[A-Za-z0-9_-]{22}$'),
      -- SHA-256 of the cookie's value.
      token_hash  bytea NOT NULL UNIQUE,
      user_id     text COLLATE "C" NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
      amr         text[] NOT NULL,
      upstream    jsonb,
      address     text,
      device      text,
      started_ms  bigint NOT NULL,
      seen_ms     bigint NOT NULL,
      -- The absolute limit; the idle limit counts from seen_ms.
      expires_ms  bigint NOT NULL
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX identity_session_user ON identity_session (user_id);
    CREATE INDEX identity_session_expires ON identity_session (expires_ms);

    -- Failed and unfinished sign-ins per account and address, per account, per address. The key is
    -- a keyed hash: the table does not tell which names were tried from where.
    CREATE TABLE identity_attempt (
      key        bytea PRIMARY KEY,
      -- So many are free of waiting.
      allowed    integer NOT NULL,
      failures   integer NOT NULL,
      blocked_ms bigint NOT NULL,
      expires_ms bigint NOT NULL
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX identity_attempt_expires ON identity_attempt (expires_ms);

    -- Where a user has signed in from: guessing elsewhere does not slow them down there.
    CREATE TABLE identity_known_address (
      user_id    text COLLATE "C" NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
      address    bytea NOT NULL,
      expires_ms bigint NOT NULL,
      PRIMARY KEY (user_id, address)
    );
    CREATE INDEX identity_known_address_expires ON identity_known_address (expires_ms);
  `)
}
