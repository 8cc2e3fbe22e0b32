export { ADMIN_SCOPES, type AdminScope } from './admin-scopes.ts'
export type * from './verified-token.ts'
