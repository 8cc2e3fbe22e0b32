export { ADMIN_SCOPES, type AdminScope } from './admin-scopes.ts'
export {
  type FhirContextItem,
  LAUNCH_CONTEXT_MEMBERS,
  type LaunchContext,
} from './launch-context.ts'
export type * from './patient-directory.ts'
export type * from './verified-token.ts'
