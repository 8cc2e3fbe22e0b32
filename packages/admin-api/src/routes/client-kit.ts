import type { ClientView } from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'
import { isKitPart, KIT_PARTS, kitFiles, kitPart } from '../kit/client-kit.ts'
import { kitFacts } from '../kit/kit-facts.ts'
import { AdminProblem } from '../problem.ts'
import { findClient } from './find-client.ts'

/** The whole kit: `{files: {name: text}}`, with a mark where the secret goes. */
export async function showKit(call: AdminCall): Promise<AdminAnswer> {
  return answerJson({ files: kitFiles(await factsOf(call)) })
}

/** One part of it, in the form of its tool. */
export async function showKitPart(call: AdminCall): Promise<AdminAnswer> {
  const { part = '' } = call.params
  if (!isKitPart(part)) {
    throw new AdminProblem(404, `a kit has no \`${part}\``, `it has ${KIT_PARTS.join(', ')}`)
  }
  const content = kitPart(part, await factsOf(call))
  if (typeof content !== 'string') return answerJson(content)
  return {
    response: new Response(content, {
      headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
    }),
  }
}

/** Where the parts are; `undefined` for a client that none of the tools can be. */
export function kitLinks({ deps }: AdminCall, client: ClientView) {
  if (whyNoKit(client) !== undefined) return undefined
  const base = `${deps.url}/clients/${encodeURIComponent(client.clientId)}/kit`
  return Object.fromEntries(KIT_PARTS.map((part) => [part, `${base}/${part}`]))
}

async function factsOf(call: AdminCall) {
  const client = await findClient(call)
  const why = whyNoKit(client)
  if (why === undefined) return kitFacts(client, call.deps.addresses)
  throw new AdminProblem(409, why, 'use a library, such as openid-client or oauth4webapi')
}

function whyNoKit(client: ClientView): string | undefined {
  return client.dpopBound
    ? `client \`${client.clientId}\` must prove its key with DPoP, which neither curl nor Postman does`
    : undefined
}
