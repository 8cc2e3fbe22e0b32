import type { ClientBase } from 'pg'

export const name = '0004-clients'

/** Clients of flows with a user, and dynamic registration. */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    ALTER TABLE client
      DROP CONSTRAINT client_source_check,
      -- dynamic: registered by itself, with an initial access token.
      ADD CONSTRAINT client_source_check
        CHECK (source IN ('config', 'stored', 'internal', 'dynamic')),
      -- Without secret and keys: PKCE alone protects its codes.
      ADD COLUMN public boolean NOT NULL DEFAULT false,
      ADD COLUMN redirect_uris text[] NOT NULL DEFAULT '{}',
      ADD COLUMN post_logout_redirect_uris text[] NOT NULL DEFAULT '{}',
      -- NULL: the origins of the redirect URIs of a public client.
      ADD COLUMN origins text[],
      ADD COLUMN launch_url text,
      ADD COLUMN dpop_bound boolean NOT NULL DEFAULT false,
      ADD COLUMN require_par boolean NOT NULL DEFAULT false,
      ADD COLUMN backchannel_logout_uri text,
      ADD COLUMN logo_uri text,
      ADD COLUMN client_uri text,
      ADD COLUMN policy_uri text,
      ADD COLUMN tos_uri text,
      ADD COLUMN consent text NOT NULL DEFAULT 'ask' CHECK (consent IN ('ask', 'remember', 'skip')),
      ADD COLUMN access_token_seconds int,
      ADD COLUMN refresh_token_seconds int,
      ADD CONSTRAINT client_public_without_keys
        CHECK (NOT public OR (jwks IS NULL AND jwks_uri IS NULL)),
      ADD CONSTRAINT client_consent_skipped_by_operators
        CHECK (consent <> 'skip' OR source <> 'dynamic');

    -- Initial access tokens, with what clients may be registered with them. uses_left only shrinks.
    CREATE TABLE registration_token (
      id              text PRIMARY KEY,
      hash            bytea NOT NULL UNIQUE,
      name            text NOT NULL,
      scopes          text NOT NULL,
      grants          text[] NOT NULL,
      auth_methods    text[] NOT NULL,
      redirect_hosts  text[] NOT NULL,
      uses            int NOT NULL,
      uses_left       int NOT NULL CHECK (uses_left >= 0),
      created_at      timestamptz NOT NULL DEFAULT now(),
      expires_at      timestamptz
    );

    -- A dynamic client's own access to its registration, and the policy that it stays under when
    -- the initial access token is gone.
    CREATE TABLE client_registration (
      client_id   text PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,
      token_id    text REFERENCES registration_token (id) ON DELETE SET NULL,
      hash        bytea NOT NULL UNIQUE,
      policy      jsonb NOT NULL
    );
    CREATE INDEX client_registration_token ON client_registration (token_id);
  `)
}
