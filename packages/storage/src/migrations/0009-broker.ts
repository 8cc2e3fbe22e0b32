import type { ClientBase } from 'pg'

export const name = '0009-broker'

/**
 * Outbound tokens, and who is fetching them. All points in time are by the clock of the database:
 * the processes that share it need not agree on theirs.
 */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    -- Every lease has a higher number than all before it, of whatever token.
    CREATE SEQUENCE broker_fence;

    CREATE TABLE broker_token (
      key        text COLLATE "C" PRIMARY KEY,
      connection text COLLATE "C" NOT NULL,
      -- The refresh token that it was got with.
      grant_key  text COLLATE "C",
      sealed     text NOT NULL,
      -- Of the lease under which it was fetched.
      fence      bigint NOT NULL,
      fetched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX broker_token_expires_at ON broker_token (expires_at);
    CREATE INDEX broker_token_grant ON broker_token (grant_key) WHERE grant_key IS NOT NULL;

    -- Whoever has it may ask the provider.
    CREATE TABLE broker_lease (
      key         text COLLATE "C" PRIMARY KEY,
      fence       bigint NOT NULL,
      duration_ms integer NOT NULL,
      until       timestamptz NOT NULL
    ) WITH (fillfactor = 80);

    -- Before retry_at the provider is not asked.
    CREATE TABLE broker_gate (
      key        text COLLATE "C" PRIMARY KEY,
      connection text COLLATE "C" NOT NULL,
      failures   integer NOT NULL,
      is_open    boolean NOT NULL,
      -- What went wrong, and with which credentials.
      sealed     text NOT NULL,
      retry_at   timestamptz NOT NULL
    ) WITH (fillfactor = 80);
    CREATE INDEX broker_gate_connection ON broker_gate (connection);
    CREATE INDEX broker_gate_retry_at ON broker_gate (retry_at);

    -- Refresh tokens.
    CREATE TABLE broker_grant (
      key        text COLLATE "C" PRIMARY KEY,
      connection text COLLATE "C" NOT NULL,
      sealed     text NOT NULL,
      -- Counts sign-ins and replacements.
      generation bigint NOT NULL,
      -- The lease that sent it and has not said what came of it.
      used_fence bigint,
      used_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      -- Why it is of no use any more.
      signed_out jsonb
    ) WITH (fillfactor = 80);
    CREATE INDEX broker_grant_connection ON broker_grant (connection);
  `)
}
