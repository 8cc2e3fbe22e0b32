import type { CallerDetail, Check } from '@scopegate/checks'
import type { FhirBackend } from '@scopegate/fhir-model'
import type { Call } from './call.ts'
import type { Caller } from './caller.ts'
import type { CursorSeal } from './cursor.ts'
import type { Wishes } from './negotiate.ts'
import type { FhirEndpointSettings } from './settings.ts'

/** What every step of one call has at hand: who asks, how, and with what it is answered. */
export interface Step {
  readonly call: Call
  readonly caller: Caller
  readonly wishes: Wishes
  readonly endpoint: EndpointContext
  /** The checks made so far; every decision adds its own. */
  readonly trail: Check[]
}

/** What stays the same for all calls. */
export interface EndpointContext {
  /** Public address, without a final slash. */
  readonly baseUrl: string
  readonly backend: FhirBackend
  readonly cursors: CursorSeal
  readonly settings: FhirEndpointSettings
  /** Where tokens bound by DPoP are accepted. */
  readonly dpopAlgorithms?: readonly string[] | undefined
  /** What is taken as credentials. */
  readonly schemes: { readonly basic: boolean; readonly tokens: boolean }
  /** How much callers may read of refusals; missing: `standard`. */
  readonly callers?: CallerDetail | undefined
  readonly newId: () => string
  /** Told of what failed inside; never shown to the caller. */
  readonly onError: (error: unknown, correlationId: string) => void
}
