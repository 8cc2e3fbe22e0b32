import type { ClientBase } from 'pg'

export const name = '0003-audit'

/** Traces, the access audit and the admin audit with their hash chains. */
export async function up(client: ClientBase): Promise<void> {
  await client.query(`
    -- One chain per writer (a running process) and kind. A chain's rows are numbered without gaps
    -- from first_seq to last_seq; the row before first_seq, dropped by retention, had first_prev.
    CREATE TABLE audit_chain (
      writer      uuid PRIMARY KEY,
      kind        text NOT NULL CHECK (kind IN ('access', 'admin')),
      keyed       boolean NOT NULL,
      first_seq   bigint NOT NULL,
      first_prev  bytea NOT NULL,
      last_seq    bigint NOT NULL,
      last_hash   bytea NOT NULL,
      started_at  timestamptz NOT NULL DEFAULT now()
    );

    -- content is the exact text that was hashed; the other columns repeat parts of it for queries.
    CREATE TABLE audit_access (
      writer    uuid NOT NULL,
      seq       bigint NOT NULL,
      at_ms     bigint NOT NULL,
      patient   text COLLATE "C",
      client_id text COLLATE "C",
      content   text NOT NULL,
      hash      bytea NOT NULL,
      PRIMARY KEY (writer, seq)
    );
    CREATE INDEX audit_access_at ON audit_access USING brin (at_ms);
    CREATE INDEX audit_access_patient ON audit_access (patient, at_ms) WHERE patient IS NOT NULL;

    CREATE TABLE audit_admin (
      writer    uuid NOT NULL,
      seq       bigint NOT NULL,
      at_ms     bigint NOT NULL,
      client_id text COLLATE "C",
      content   text NOT NULL,
      hash      bytea NOT NULL,
      PRIMARY KEY (writer, seq)
    );
    CREATE INDEX audit_admin_at ON audit_admin (at_ms);

    -- Append-only: only retention, which says so in its transaction, removes rows.
    CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND current_setting('scopegate.audit_retention', true) = 'on' THEN
        RETURN OLD;
      END IF;
      RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
    END $$;
    CREATE TRIGGER audit_access_append_only BEFORE UPDATE OR DELETE ON audit_access
      FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
    CREATE TRIGGER audit_admin_append_only BEFORE UPDATE OR DELETE ON audit_admin
      FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
    CREATE TRIGGER audit_access_no_truncate BEFORE TRUNCATE ON audit_access
      FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
    CREATE TRIGGER audit_admin_no_truncate BEFORE TRUNCATE ON audit_admin
      FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

    -- Recent requests with their checks; bounded in number and age, redacted before they get here.
    CREATE TABLE trace (
      id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at_ms          bigint NOT NULL,
      correlation_id text COLLATE "C" NOT NULL,
      client_id      text COLLATE "C",
      outcome        text NOT NULL,
      content        jsonb NOT NULL
    );
    CREATE INDEX trace_correlation_id ON trace (correlation_id);
    CREATE INDEX trace_client ON trace (client_id, id);
  `)
}
