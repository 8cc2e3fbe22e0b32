import type { ClientBase } from 'pg'

export const name = '0011-sealing'

/** Which master key seals, what derived keys come from, and which servers know which keys. */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    -- Ids of master keys; the keys themselves are never in the database.
    CREATE TABLE sealing_key (
      id               text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{8}$'),
      -- current: seals; former: some values are sealed with it still; retired: none is.
      status           text NOT NULL CHECK (status IN ('current', 'former', 'retired')),
      -- A known text under that very key: shows whether a server has it.
      proof            text NOT NULL,
      -- A change to this key may end though some values cannot be opened.
      leave_unreadable boolean NOT NULL DEFAULT false,
      since            timestamptz NOT NULL DEFAULT now()
    );
    CREATE UNIQUE INDEX sealing_key_current ON sealing_key (status) WHERE status = 'current';

    -- What the keys of page links, the audit chain and so on are derived from. Sealed.
    CREATE TABLE sealing_root (
      id     integer PRIMARY KEY CHECK (id = 1),
      sealed text NOT NULL
    );

    CREATE TABLE sealing_server (
      id          uuid PRIMARY KEY,
      name        text NOT NULL,
      knows       text[] NOT NULL,
      seals       text NOT NULL,
      seals_since timestamptz NOT NULL DEFAULT now(),
      seen_at     timestamptz NOT NULL DEFAULT now()
    );
  `)
}
