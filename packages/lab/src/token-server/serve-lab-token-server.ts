import { LAB_FLAVOURS, type LabFlavourName } from '../open-id-provider/flavours/index.ts'
import { type LabTls, listenerOf, listenOnLoopback } from '../serve-on-loopback.ts'
import { createLabTokenServer } from './lab-token-server.ts'
import type { LabTokenServer, LabTokenServerOptions } from './lab-token-server-types.ts'

export interface ServedLabTokenServer extends LabTokenServer {
  readonly url: string
  close(): Promise<void>
}

export interface ServeLabTokenServerOptions
  extends Omit<LabTokenServerOptions, 'issuer' | 'origin' | 'flavour'> {
  /** Default `generic`. */
  readonly flavour?: LabFlavourName
  /** What tokens and ID tokens name as the host of their issuer; default: where it listens. */
  readonly publicUrl?: string
  /** 0, the default: any that is free. */
  readonly port?: number
  readonly tls?: LabTls
}

/** A lab token server on loopback. */
export async function serveLabTokenServer(
  options: ServeLabTokenServerOptions = {},
): Promise<ServedLabTokenServer> {
  const { flavour = 'generic', publicUrl } = options
  let lab: LabTokenServer | undefined
  const answer = async (request: Request) =>
    lab?.fetch(request) ?? new Response(null, { status: 503 })
  const { origin, close } = await listenOnLoopback(
    listenerOf(answer, () => origin),
    options,
  )
  lab = createLabTokenServer({
    ...options,
    flavour,
    origin,
    issuer: `${publicUrl ?? origin}${LAB_FLAVOURS[flavour].issuerPath}`,
  })
  return { ...lab, url: origin, close }
}
