import { loadApart, withBareServer } from './apart.ts'
import type { BenchContext } from './context.ts'
import type { Row } from './row.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const SCOPE = 'system/Observation.rs?category=laboratory'

/** Tokens per second by client secret and by RS384 assertion, beside a bare server with the same answer. */
export async function tokenScenarios(context: BenchContext): Promise<readonly Row[]> {
  const { server, clientId, clientSecret, seconds } = context
  const bySecret = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: SCOPE,
  }).toString()
  const job = { path: '/oauth/token', method: 'POST', headers: FORM } as const
  const answer = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    headers: FORM,
    body: bySecret,
  })
  const limit = await withBareServer(answer, (origin) =>
    loadApart({ ...job, origin, bodies: [bySecret], seconds }),
  )
  const secret = await loadApart({ ...job, origin: server.url, bodies: [bySecret], seconds })

  const bodies = (await context.assertions(6000)).map((assertion) =>
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      scope: SCOPE,
    }).toString(),
  )
  // Each assertion works once, so the run ends when they are used up.
  const byAssertion = await loadApart({
    ...job,
    origin: server.url,
    bodies,
    once: true,
    seconds: 60,
  })

  const bare = { name: 'bare Node server', value: limit.perSecond }
  return [
    {
      name: 'tokens, client secret',
      value: secret.perSecond,
      unit: '/s',
      limit: bare,
      note: `p95 ${secret.p95Ms.toFixed(1)} ms`,
    },
    {
      name: 'tokens, RS384 assertion',
      value: byAssertion.perSecond,
      unit: '/s',
      limit: bare,
      note: `p95 ${byAssertion.p95Ms.toFixed(1)} ms`,
    },
  ]
}
