import type { ReferenceReader } from './reference-reader.ts'
import type { Secret } from './secret.ts'
import type { Settings } from './settings.ts'

/** A client with its secrets and keys read. */
export type ConfiguredClient = Omit<
  Settings['clients'][number],
  'secret' | 'secrets' | 'jwksFile'
> & {
  /** Any of them lets it in; newest first. */
  readonly secrets: readonly Secret[]
  readonly jwks?: { readonly keys: readonly Record<string, unknown>[] }
}

export function configuredClients(
  { clients }: Settings,
  reader: ReferenceReader,
): readonly ConfiguredClient[] {
  return clients.map(({ secret, secrets, jwksFile, ...client }, index) => {
    const at = (name: string) => ['clients', index, name]
    const one = reader.secret(at('secret'), secret)
    const jwks = reader.keySet(at('jwksFile'), jwksFile)
    return {
      ...client,
      secrets: one === undefined ? reader.secrets(at('secrets'), secrets ?? []) : [one],
      ...(jwks !== undefined && { jwks }),
    }
  })
}
