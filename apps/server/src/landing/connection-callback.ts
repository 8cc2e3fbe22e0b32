import type { AdminEvent } from '@scopegate/audit'
import { correlationIdOf, escapeHtml, type Handler, NO_STORE, PAGE_HEADERS } from '@scopegate/http'
import { SignInRefused, type SignIns } from '@scopegate/token-broker'
import type { Logger } from '../operations/logger.ts'
import { LANDING_STYLE } from './landing-style.ts'

/** Where users come back to who sign in for a connection, below the public address. */
export const CONNECTION_CALLBACK_PATH = '/admin/connections/callback'

export interface ConnectionCallbackDeps {
  readonly signIns: Pick<SignIns, 'completeCallback'>
  readonly adminAudit: { record(event: AdminEvent): Promise<void> | undefined }
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** Of this server. */
  readonly issuer: string
  readonly nowMs: () => number
}

/**
 * Takes a user back who signed in for a connection, and ends that sign-in. Who may begin one is the
 * admin API's business; here only what it sealed into `state` counts. The page needs no rights, and
 * tells only what the user has just done. How a sign-in ended is audited; what was never begun here
 * goes to the log only, so nobody fills the audit from outside.
 *
 * @see RFC 6749 §4.1.2
 */
export function createConnectionCallback(deps: ConnectionCallbackDeps): Handler {
  const { signIns, adminAudit, log, issuer, nowMs } = deps

  async function record(
    request: Request,
    { decision, status, ...what }: Pick<AdminEvent, 'decision' | 'status' | 'target' | 'detail'>,
  ): Promise<void> {
    const atMs = nowMs()
    const correlationId = correlationIdOf(request, atMs)
    await adminAudit.record({
      ...{ atMs, correlationId, issuer, action: 'connection.authorized', decision, status },
      ...what,
    })
  }

  return async (request) => {
    if (request.method !== 'GET') {
      const headers = { ...PAGE_HEADERS, ...NO_STORE, Allow: 'GET' }
      return new Response(null, { status: 405, headers })
    }
    const { searchParams } = new URL(request.url)
    try {
      const done = await signIns.completeCallback(Object.fromEntries(searchParams))
      const { connection } = done
      const subject = done.outcome === 'done' ? done.subject : undefined
      log.info({ connection }, 'a user signed in for a connection')
      await record(request, {
        ...{ decision: 'permitted', status: 200, target: `connection/${connection}` },
        detail: { outcome: done.outcome, ...(subject !== undefined && { signedInAs: subject }) },
      })
      const who = subject !== undefined ? ` as ${subject}` : ''
      const lead = `You signed in${who}. The connection ${connection} goes on by itself from here; this page can be closed.`
      return answer(200, 'Signed in', lead)
    } catch (error) {
      if (!(error instanceof SignInRefused)) throw error
      const { code } = error
      log.warn({ code }, 'a sign-in for a connection was refused')
      if (code !== 'sign_in_unknown') {
        const [connection] = (searchParams.get('state') ?? '').split('.')
        await record(request, {
          ...{ decision: 'refused', status: 400, target: `connection/${connection}` },
          detail: { code },
        })
      }
      return answer(400, 'Not signed in', `${error.message}.`, `To do: ${error.fix}.`)
    }
  }
}

function answer(status: number, title: string, lead: string, note?: string): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${LANDING_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(lead)}</p>
${note === undefined ? '' : `<p class="note">${escapeHtml(note)}</p>`}
</header>
</main>
</body>
</html>
`
  const headers = { ...PAGE_HEADERS, ...NO_STORE, 'Content-Type': 'text/html; charset=utf-8' }
  return new Response(html, { status, headers })
}
