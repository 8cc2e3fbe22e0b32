import type { KoaContextWithOIDC } from 'oidc-provider'
import { findClient } from '../clients/client-store.ts'
import type { EngineDeps, RequestState } from '../engine/engine-deps.ts'

/** As much as the engine reads of any form. */
const MAX_BYTES = 56 * 1024

/**
 * Reads a refresh request before the engine does. A public client may leave its `client_id` out, as
 * fhirclient does: the refresh token says whose it is. The scope is kept for later, since the engine
 * knows only lists of strings. Any other request passes as it came.
 */
export async function nameClient(
  ctx: KoaContextWithOIDC,
  deps: Pick<EngineDeps, 'models' | 'pool'>,
): Promise<void> {
  if (!ctx.is('application/x-www-form-urlencoded')) return
  const body = await readAll(ctx)
  if (body === undefined) return
  const form = new URLSearchParams(body.toString('utf8'))
  if (form.get('grant_type') !== 'refresh_token') return replay(ctx, body)

  const scopes = form.getAll('scope')
  if (scopes.length === 1) {
    // Twice the same parameter stays, for the engine to refuse.
    if (scopes[0]) (ctx.state as RequestState).requestedScope = scopes[0]
    form.delete('scope')
  }
  const isNamed =
    form.has('client_id') || form.has('client_assertion') || ctx.headers.authorization !== undefined
  // A database that cannot be asked is for the engine to tell.
  const clientId = isNamed
    ? undefined
    : await ownerOf(form.get('refresh_token'), deps).catch(() => undefined)
  if (clientId !== undefined) form.set('client_id', clientId)
  replay(ctx, Buffer.from(form.toString()))
}

async function ownerOf(
  refreshToken: string | null,
  { models, pool }: Pick<EngineDeps, 'models' | 'pool'>,
): Promise<string | undefined> {
  if (refreshToken === null) return undefined
  const clientId = (await models.find('RefreshToken', refreshToken))?.clientId
  const client = clientId === undefined ? undefined : await findClient(pool, clientId)
  return client?.public === true ? clientId : undefined
}

/** The body; `undefined` if it is too long, when the engine gets what is left and refuses it. */
async function readAll(ctx: KoaContextWithOIDC): Promise<Buffer | undefined> {
  if ((ctx.request.length ?? 0) > MAX_BYTES) return undefined
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    // The engine counts for itself, and refuses.
    if (length > MAX_BYTES) break
  }
  return Buffer.concat(chunks)
}

/** Gives the engine a body to read again. */
function replay(ctx: KoaContextWithOIDC, body: Buffer): void {
  ctx.req.headers['content-length'] = String(body.length)
  ctx.req = Object.create(ctx.req, {
    readable: { value: true },
    readableEncoding: { value: null },
    iterator: {
      value: async function* () {
        yield body
      },
    },
  })
}
