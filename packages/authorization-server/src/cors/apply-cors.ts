import type { KoaContextWithOIDC } from 'oidc-provider'
import { corsHeadersFor } from './cors.ts'

/**
 * Sets what pages of other origins may read of an answer of the engine, whatever the engine set: it
 * names the origin of the request before it knows whose it is.
 */
export async function applyCors(
  ctx: KoaContextWithOIDC,
  isRegisteredOrigin: (origin: string) => boolean | Promise<boolean>,
): Promise<void> {
  const origin = ctx.get('Origin')
  ctx.remove('Access-Control-Allow-Origin')
  ctx.remove('Access-Control-Expose-Headers')
  const isRegistered = origin !== '' && (await isRegisteredOrigin(origin))
  ctx.set(corsHeadersFor(origin, isRegistered))
}

/** What is public is read by pages of every origin, without credentials. */
export function openToAll(ctx: KoaContextWithOIDC): void {
  ctx.remove('Access-Control-Expose-Headers')
  ctx.set('Access-Control-Allow-Origin', '*')
}
