import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LAB_FLAVOURS } from './flavours/index.ts'
import { createLabOpenIdProvider } from './lab-open-id-provider.ts'
import type { LabOpenIdProvider, LabOpenIdProviderOptions } from './lab-open-id-provider-types.ts'

export interface ServedLabOpenIdProvider extends LabOpenIdProvider {
  readonly url: string
  close(): Promise<void>
}

const MAX_BODY_BYTES = 64 * 1024

/** A lab provider on loopback. `port` 0, the default: any that is free. */
export async function serveLabOpenIdProvider(
  options: Omit<LabOpenIdProviderOptions, 'issuer'> & { readonly port?: number },
): Promise<ServedLabOpenIdProvider> {
  let provider: LabOpenIdProvider | undefined
  const server = createServer((incoming, outgoing) => {
    answer(incoming)
      .then(async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers))
        outgoing.end(Buffer.from(await response.arrayBuffer()))
      })
      .catch(() => outgoing.writeHead(500).end())
  })

  async function answer(incoming: IncomingMessage): Promise<Response> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of incoming) {
      bytes += (chunk as Buffer).length
      if (bytes > MAX_BODY_BYTES) return new Response(null, { status: 413 })
      chunks.push(chunk as Buffer)
    }
    const { method = 'GET', headers } = incoming
    const request = new Request(new URL(incoming.url ?? '/', origin), {
      method,
      headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        typeof value === 'string' ? [[name, value]] : [],
      ),
      ...(method === 'GET' || method === 'HEAD' ? {} : { body: Buffer.concat(chunks) }),
    })
    return provider?.fetch(request) ?? new Response(null, { status: 503 })
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = `${origin}${LAB_FLAVOURS[options.flavour].issuerPath}`
  provider = createLabOpenIdProvider({ ...options, issuer })
  return {
    ...provider,
    url: origin,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
