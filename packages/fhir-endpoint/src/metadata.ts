import { createHash } from 'node:crypto'
import type { Call } from './call.ts'
import { type CapabilityMode, capabilityStatement } from './capability-statement.ts'
import type { FhirEndpointDeps } from './deps.ts'
import { negotiate } from './negotiate.ts'
import { faultReply, type Reply } from './reply.ts'
import type { EndpointContext } from './step.ts'

interface Made {
  readonly text: string
  readonly etag: string
}

/**
 * Answers `GET /metadata`, which needs no token. The statement is made once per mode and process;
 * it may be cached by anybody.
 * @see https://hl7.org/fhir/R4/http.html#capabilities
 */
export function createMetadata(
  deps: FhirEndpointDeps,
  endpoint: EndpointContext,
  startedAtMs: number,
): (call: Call) => { readonly reply: Reply; readonly pretty: boolean } {
  const made = new Map<CapabilityMode, Made>()

  function statement(mode: CapabilityMode): Made {
    let known = made.get(mode)
    if (known === undefined) {
      const text = capabilityStatement(deps, endpoint, startedAtMs, mode)
      const digest = createHash('sha256').update(text).digest('base64url').slice(0, 22)
      known = { text, etag: `W/"${digest}"` }
      made.set(mode, known)
    }
    return known
  }

  return (call) => {
    const fault = (status: number, text: string, fix: string) => ({
      reply: faultReply(call, status, { code: 'not-supported', text, fix }),
      pretty: false,
    })
    const negotiated = negotiate(call)
    if (!negotiated.ok) return fault(negotiated.status, negotiated.why, negotiated.fix)
    const mode = call.query.find(([name]) => name === 'mode')?.[1] ?? 'full'
    if (mode !== 'full' && mode !== 'normative') {
      return fault(400, `mode \`${mode.slice(0, 40)}\` is not offered`, 'use full or normative')
    }
    const { text, etag } = statement(mode)
    const headers = { 'Cache-Control': 'public, max-age=300', Vary: 'Accept, Origin', ETag: etag }
    const isKnown = call
      .header('if-none-match')
      ?.split(',')
      .some((tag) => tag.trim() === etag)
    return {
      reply: {
        status: isKnown === true ? 304 : 200,
        headers,
        body: isKnown === true ? null : text,
        outcome: 'permitted',
        count: 0,
      },
      pretty: negotiated.wishes.pretty,
    }
  }
}
