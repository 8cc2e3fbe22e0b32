import {
  createLabKey,
  type LabResource,
  type LabResourceOptions,
  type ServedLabTokenServer,
  type ServeLabTokenServerOptions,
  serveLabResource,
  serveLabTokenServer,
} from '@scopegate/lab'
import type { ConnectionStatus } from '@scopegate/oauth-model'
import { openSmartServer, type SmartServer } from './open-smart-server.ts'

export interface BrokerServerOptions {
  readonly lab?: ServeLabTokenServerOptions
  readonly resource?: Partial<LabResourceOptions>
  /** The YAML of `connections:`, told where the lab and its resource are. Default: {@link labConnection}. */
  readonly connections?: (lab: ServedLabTokenServer, resource: LabResource) => string
  readonly environment?: Record<string, string>
  readonly yaml?: string
}

/** The whole product with connections to a lab token server, and the resource its tokens are for. */
export interface BrokerServer {
  readonly server: SmartServer
  readonly lab: ServedLabTokenServer
  readonly resource: LabResource
  /** `/out/<path>` of the forward sidecar. */
  out(path: string, init?: RequestInit): Promise<Response>
  status(name?: string): Promise<ConnectionStatus>
  /** What the admin API hands out, or its refusal. */
  token(name?: string, query?: string): Promise<HandedOut>
  close(): Promise<void>
}

export interface HandedOut {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: what came is asserted on, member by member
  readonly json: any
}

/** The secret of every connection of these tests; the lab takes any. */
export const LAB_SECRET = 'the-secret-of-the-lab-connection-2b7f1d9c'

/** One entry of `connections:`; `more` are further lines. */
export function labConnection(
  lab: ServedLabTokenServer,
  resource: LabResource | undefined,
  { name = 'lab', more = [] }: { readonly name?: string; readonly more?: readonly string[] } = {},
): string {
  const has = (member: string) => more.some((line) => line.startsWith(`${member}:`))
  return [
    `  - name: ${name}`,
    ...(has('preset') ? [] : ['preset: generic']),
    ...(has('issuer') || has('tokenEndpoint') ? [] : [`tokenEndpoint: ${lab.tokenEndpoint}`]),
    ...(has('grant') ? [] : ['grant: client_credentials']),
    ...(has('clientId') ? [] : ['clientId: lab-reader']),
    ...(has('authentication')
      ? []
      : ['authentication: { method: client_secret_basic, secrets: [env:LAB_SECRET] }']),
    ...(has('scopes') ? [] : ['scopes: [system/Patient.rs]']),
    ...(resource === undefined || has('upstream') ? [] : [`upstream: ${resource.url}`]),
    ...more,
  ].join('\n    ')
}

export async function openBrokerServer(options: BrokerServerOptions = {}): Promise<BrokerServer> {
  // ES256 is signed quickly: a burst of tokens must not be what is measured.
  const lab = await serveLabTokenServer({ keys: [createLabKey('ES256')], ...options.lab })
  const resource = await serveLabResource({ tokens: lab, ...options.resource })
  const connections = options.connections?.(lab, resource) ?? labConnection(lab, resource)
  const server = await openSmartServer({
    withoutSample: true,
    environment: options.environment ?? { LAB_SECRET },
    yaml: `connections:\n${connections}\n${options.yaml ?? ''}`,
  })
  return {
    ...{ server, lab, resource },
    out: (path, init) => fetch(`${server.url}/out/${path}`, init),
    status: (name = 'lab') => server.admin<ConnectionStatus>('GET', `/connections/${name}`),
    async token(name = 'lab', query = '') {
      const response = await server.adminCall('GET', `/connections/${name}/token${query}`)
      const text = await response.text()
      return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
    },
    async close() {
      await server.close()
      await Promise.all([lab.close(), resource.close()])
    },
  }
}
