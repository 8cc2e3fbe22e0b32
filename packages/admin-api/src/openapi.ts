import { ADMIN_SCOPES } from '@scopegate/oauth-model'
import { ADMIN_ROUTES } from './route-table.ts'

/** The OpenAPI 3.1 description, made from the route table. */
export function describeAdminApi(url: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const { method, path, scope, summary } of ADMIN_ROUTES) {
    const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name)
    const at = path.replaceAll(/:(\w+)/g, '{$1}')
    paths[at] = {
      ...paths[at],
      [method.toLowerCase()]: {
        summary,
        security: [{ scopegate: [scope] }],
        ...(names.length > 0 && {
          parameters: names.map((name) => ({
            name,
            in: 'path',
            required: true,
            schema: { type: 'string' },
          })),
        }),
        responses: {
          '200': { description: 'Done' },
          '401': { description: 'No valid token for this audience' },
          '403': { description: `The token lacks ${scope}` },
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Scopegate admin API', version: '0.1.0' },
    servers: [{ url }],
    paths,
    components: {
      securitySchemes: {
        scopegate: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: new URL('/oauth/token', url).href,
              scopes: Object.fromEntries(ADMIN_SCOPES.map((scope) => [scope, scope])),
            },
          },
        },
      },
    },
  }
}
