import type { ClientBase } from 'pg'

export const name = '0007-grants'

/** What users granted, launches, and what the protocol engine keeps between requests. */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    -- Codes, refresh tokens, opaque access tokens, sessions, interactions, grants: the engine's
    -- models. Nothing in a row is worth stealing: the id is a hash, the payload is sealed.
    CREATE TABLE engine_model (
      model         text NOT NULL,
      -- SHA-256 of what the client or the browser holds.
      id            bytea NOT NULL,
      payload       text NOT NULL,
      grant_id      text,
      -- Of a session.
      uid           bytea,
      -- Of a device code: an HMAC, since user codes are short enough to be guessed from a hash.
      user_code     bytea,
      created_at    timestamptz NOT NULL DEFAULT now(),
      expires_at    timestamptz NOT NULL,
      consumed_at   timestamptz,
      -- Of a device code: when its client asked last, and how long it must wait.
      polled_at     timestamptz,
      poll_seconds  integer,
      PRIMARY KEY (model, id)
    ) WITH (autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX engine_model_expires_at ON engine_model (expires_at);
    CREATE INDEX engine_model_grant ON engine_model (grant_id) WHERE grant_id IS NOT NULL;
    CREATE UNIQUE INDEX engine_model_uid ON engine_model (uid) WHERE uid IS NOT NULL;
    CREATE UNIQUE INDEX engine_model_user_code ON engine_model (user_code) WHERE user_code IS NOT NULL;

    -- One row for each launch that a user allowed: what its tokens say beside their scopes.
    CREATE TABLE smart_grant_context (
      grant_id        text PRIMARY KEY,
      user_id         text NOT NULL,
      client_id       text NOT NULL REFERENCES client (id) ON DELETE CASCADE,
      session_id      text,
      scopes          text[] NOT NULL,
      -- The API that the scopes are for.
      resource        text NOT NULL,
      context         jsonb NOT NULL,
      -- Who the user was in the FHIR data. The launch was judged by that, and ends with it.
      fhir_user       text,
      patient         text GENERATED ALWAYS AS (context ->> 'patient') STORED,
      -- The user wants not to be asked again for this client and patient.
      remembered      boolean NOT NULL DEFAULT false,
      created_at      timestamptz NOT NULL DEFAULT now(),
      last_used_at    timestamptz NOT NULL DEFAULT now(),
      -- When its last token has expired by itself.
      expires_at      timestamptz NOT NULL,
      revoked_at      timestamptz,
      revoked_reason  text,
      CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
    );
    CREATE INDEX smart_grant_context_user ON smart_grant_context (user_id, client_id);
    CREATE INDEX smart_grant_context_session ON smart_grant_context (session_id);
    CREATE INDEX smart_grant_context_client ON smart_grant_context (client_id);
    CREATE INDEX smart_grant_context_expires_at ON smart_grant_context (expires_at);

    -- Handles of EHR launches, each for one use.
    CREATE TABLE launch_handle (
      id           bytea PRIMARY KEY,
      client_id    text REFERENCES client (id) ON DELETE CASCADE,
      user_id      text,
      context      jsonb NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT now(),
      expires_at   timestamptz NOT NULL,
      redeemed_at  timestamptz
    );
    CREATE INDEX launch_handle_expires_at ON launch_handle (expires_at);
    CREATE INDEX launch_handle_client ON launch_handle (client_id);

    -- The answer to a refresh, sealed, for whoever repeats the request within the grace window.
    CREATE TABLE refresh_answer (
      -- SHA-256 of the refresh token that was used.
      id          bytea PRIMARY KEY,
      answer      text NOT NULL,
      expires_at  timestamptz NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX refresh_answer_expires_at ON refresh_answer (expires_at);
  `)
}
