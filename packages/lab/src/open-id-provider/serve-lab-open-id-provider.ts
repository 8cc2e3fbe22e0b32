import { listenerOf, listenOnLoopback } from '../serve-on-loopback.ts'
import { LAB_FLAVOURS } from './flavours/index.ts'
import { createLabOpenIdProvider } from './lab-open-id-provider.ts'
import type { LabOpenIdProvider, LabOpenIdProviderOptions } from './lab-open-id-provider-types.ts'

export interface ServedLabOpenIdProvider extends LabOpenIdProvider {
  readonly url: string
  close(): Promise<void>
}

/** A lab provider on loopback. `port` 0, the default: any that is free. */
export async function serveLabOpenIdProvider(
  options: Omit<LabOpenIdProviderOptions, 'issuer' | 'origin'> & { readonly port?: number },
): Promise<ServedLabOpenIdProvider> {
  let provider: LabOpenIdProvider | undefined
  const answer = async (request: Request) =>
    provider?.fetch(request) ?? new Response(null, { status: 503 })
  const { origin, close } = await listenOnLoopback(
    listenerOf(answer, () => origin),
    options,
  )
  provider = createLabOpenIdProvider({
    ...options,
    issuer: `${origin}${LAB_FLAVOURS[options.flavour].issuerPath}`,
  })
  return { ...provider, url: origin, close }
}
