export {
  type Api,
  type ApiAuth,
  type ApiForward,
  type ApiLimits,
  type ApiRoute,
  AUTH_MODES,
  AUTH_SCHEMES,
  type AuthMode,
  type AuthScheme,
  IDENTITY_FIELDS,
  type IdentityField,
} from './api.ts'
export { type ApiDeclaration, compileApi, scopesOf } from './compile-api.ts'
export { type ApiGateway, createApiGateway } from './create-api-gateway.ts'
export type { ApiGatewayDeps } from './deps.ts'
export { explainApi } from './explain-api.ts'
export { IDENTITY_JWT_TYPE } from './identity-jwt.ts'
export {
  createWebLogins,
  type WebLoginDeclaration,
  type WebLogins,
  type WebLoginsDeps,
} from './login/create-web-logins.ts'
export { createInProcessFetch } from './login/in-process-fetch.ts'
export type { WebLoginClient } from './login/self-provider.ts'
export { createRouteTable, type RouteMatch, type RouteTable } from './route-table.ts'
export type { WebLogin, WebSession, WebSessionVerdict } from './web-login.ts'
