import type { ClientBase } from 'pg'

/**
 * Ends what people had allowed, and where they were signed in, in a database that came out of a
 * backup: what was used up or revoked since then must not work again, and nobody knows any more
 * what that was. Apps are launched again; clients, users and their passwords stay.
 */
export async function endGrants(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ known: boolean }>(
    `SELECT to_regclass('smart_grant_context') IS NOT NULL AS known`,
  )
  if (!rows[0]?.known) return
  await client.query(`
    DELETE FROM engine_model;
    DELETE FROM refresh_answer;
    DELETE FROM launch_handle;
    DELETE FROM identity_session;
    -- Access tokens that are still out there end, too.
    INSERT INTO revocation (kind, key, expires_at)
      SELECT 'grant', grant_id, expires_at FROM smart_grant_context
       WHERE revoked_at IS NULL AND expires_at > now()
      ON CONFLICT (kind, key) DO NOTHING;
    UPDATE smart_grant_context
       SET revoked_at = now(), revoked_reason = 'restored', remembered = false
     WHERE revoked_at IS NULL;
  `)
}
