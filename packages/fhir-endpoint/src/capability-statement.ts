import type { FhirEndpointDeps } from './deps.ts'
import type { EndpointContext } from './step.ts'

export function capabilityStatement(
  _d: FhirEndpointDeps,
  _e: EndpointContext,
  nowMs: number,
): string {
  return JSON.stringify({
    resourceType: 'CapabilityStatement',
    date: new Date(nowMs).toISOString(),
  })
}
