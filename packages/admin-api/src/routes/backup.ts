import type { AdminAnswer, AdminCall } from '../call.ts'

/** The whole database as one archive, made while the server runs. */
export async function backUp({ deps }: AdminCall): Promise<AdminAnswer> {
  const { archive, rows } = await deps.backup()
  return {
    response: new Response(archive, {
      headers: { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' },
    }),
    audit: { detail: { rows } },
  }
}
