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
export { createRouteTable, type RouteMatch, type RouteTable } from './route-table.ts'
export type { WebLogin, WebSession, WebSessionVerdict } from './web-login.ts'
