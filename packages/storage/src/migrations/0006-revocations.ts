import type { ClientBase } from 'pg'

export const name = '0006-revocations'

/** Access tokens that end before they expire. */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    CREATE TABLE revocation (
      -- token: its jti, or the SHA-256 of an opaque one; grant: all of its tokens;
      -- client, user: all that were issued to them up to revoked_at.
      kind        text NOT NULL CHECK (kind IN ('token', 'grant', 'client', 'user')),
      key         text NOT NULL,
      -- Not now(), the start of the transaction: readers ask for what is new by this column.
      revoked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
      -- When the last token that it is about has expired by itself.
      expires_at  timestamptz NOT NULL,
      PRIMARY KEY (kind, key)
    );
    CREATE INDEX revocation_revoked_at ON revocation (revoked_at);
    CREATE INDEX revocation_expires_at ON revocation (expires_at);
  `)
}
