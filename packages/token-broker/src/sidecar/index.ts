export { type AllowedPaths, allowPaths, findPathPatternProblem } from './allowed-paths.ts'
export { CALLER_HEADER, CONNECTIONS_SCOPE } from './authenticate-caller.ts'
export { createSidecar, type Sidecar, type SidecarDeps } from './create-sidecar.ts'
export { DIAGNOSIS_HEADER, type DiagnosisCode } from './diagnose.ts'
export {
  DEFAULT_METHODS,
  SIDECAR_PATH,
  type SidecarConnection,
} from './sidecar-connection.ts'
