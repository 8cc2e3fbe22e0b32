import type { LaunchContext } from './launch-context.ts'

/** What a launch handle stands for. */
export interface NewLaunch {
  /** The only client that may redeem it; any, when missing. */
  readonly clientId?: string
  /** The only user who may; any, when missing. */
  readonly userId?: string
  readonly context: LaunchContext
  /** How long it can be redeemed, instead of the configured time. */
  readonly seconds?: number
}

/** Makes the opaque, single-use handles that an EHR launches apps with. */
export interface LaunchMaker {
  create(launch: NewLaunch): Promise<{
    readonly launch: string
    /** Epoch seconds. */
    readonly expiresAt: number
  }>
}
