import type { LaunchContext } from '@scopegate/oauth-model'
import type { Provider } from 'oidc-provider'

export type EngineInteraction = Awaited<ReturnType<Provider['interactionDetails']>>

/**
 * How far an interaction has come. Kept with the engine's own record of it, which is sealed, and
 * never in a form.
 */
export interface InteractionState {
  /** The browser that began it. */
  browser: string
  /** The session that was there when a new sign-in was asked for: it does not count. */
  staleSessionId?: string
  /** Whose the choices below are; another user starts with none. */
  userId?: string
  /** Of the EHR. */
  launch?: LaunchContext
  /** Chosen here, and found for this user. */
  patient?: string
  /** Chosen here; `none`: the user goes on without one. */
  encounter?: string | 'none'
  /** A form was sent: see `finish-page.ts`. */
  posted?: boolean
}

interface Kept {
  readonly scopegate?: InteractionState
}

/** `undefined` for an interaction that no browser has seen yet. */
export function readState(details: EngineInteraction): InteractionState | undefined {
  const kept = (details.result as Kept | undefined)?.scopegate
  return kept === undefined ? undefined : { ...kept }
}

export async function saveState(
  details: EngineInteraction,
  state: InteractionState,
): Promise<void> {
  details.result = { scopegate: state } as never
  await details.persist()
}

/** Whether the interaction has its result and only waits for the browser to follow. */
export function isFinished(details: EngineInteraction): boolean {
  const { result } = details
  return result?.login !== undefined || result?.error !== undefined
}
