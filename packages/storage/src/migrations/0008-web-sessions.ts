import type { ClientBase } from 'pg'

export const name = '0008-web-sessions'

/**
 * Browsers that are signed in to web apps behind the gateway. Points in time are epoch milliseconds
 * of the servers' clocks.
 */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    CREATE TABLE web_session (
      id            text COLLATE "C" PRIMARY KEY CHECK (id ~ '^w_[A-Za-z0-9_-]{22}$'),
      -- SHA-256 of the cookie's value.
      token_hash    bytea NOT NULL UNIQUE,
      -- The API that the cookie is for: at others it opens nothing.
      api           text COLLATE "C" NOT NULL,
      -- Who signed in, where, as which client: what a logout token names.
      issuer        text COLLATE "C" NOT NULL,
      client_id     text COLLATE "C" NOT NULL,
      subject       text COLLATE "C" NOT NULL,
      sid           text COLLATE "C",
      -- Tokens and claims.
      sealed        text NOT NULL,
      -- Counts refreshes: of two processes one gets to write.
      generation    integer NOT NULL DEFAULT 0,
      -- When the tokens are to be refreshed; missing where they cannot be.
      refresh_ms    bigint,
      -- Until then somebody is refreshing them.
      refreshing_ms bigint NOT NULL DEFAULT 0,
      -- Before that the provider is not asked again.
      retry_ms      bigint NOT NULL DEFAULT 0,
      started_ms    bigint NOT NULL,
      seen_ms       bigint NOT NULL,
      -- The absolute limit; the idle limit counts from seen_ms.
      expires_ms    bigint NOT NULL,
      idle_ms       bigint NOT NULL
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX web_session_subject ON web_session (issuer, subject);
    CREATE INDEX web_session_sid ON web_session (issuer, sid) WHERE sid IS NOT NULL;
    CREATE INDEX web_session_expires ON web_session (expires_ms);
  `)
}
