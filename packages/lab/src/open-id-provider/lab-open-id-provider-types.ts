import type { LabKey } from '../issuer/lab-keys.ts'
import type { LabFault } from './faults.ts'
import type { LabFlavourName } from './flavours/index.ts'
import type { LabClient } from './lab-client.ts'
import type { LabUser } from './lab-user.ts'

export interface LabOpenIdProviderOptions {
  readonly flavour: LabFlavourName
  /** As its discovery document spells it. */
  readonly issuer: string
  /** Without any, every client and every redirect URI is taken. */
  readonly clients?: readonly LabClient[]
  readonly users?: readonly LabUser[]
  /** The first one signs. RS256 if not given. */
  readonly keys?: readonly LabKey[]
  /** Epoch seconds. */
  readonly now?: () => number
  /** Sends back-channel logout. */
  readonly fetch?: typeof fetch
}

export interface LabOpenIdProvider {
  readonly issuer: string
  readonly users: readonly LabUser[]
  /** Add to it, and the provider does that wrong; empty at first. */
  readonly faults: Set<LabFault>
  /** The whole provider, without a socket. */
  fetch(request: Request): Promise<Response>
  /** The `sub` of a user for a client. */
  subjectOf(userId: string, clientId: string): string
  /** A logout token, or with `claims` and `header` a wrong one. */
  mintLogoutToken(options: {
    readonly clientId: string
    readonly userId?: string
    readonly sessionId?: string
    readonly claims?: Readonly<Record<string, unknown>>
    readonly header?: Readonly<Record<string, unknown>>
  }): string
  /** Ends a user's sessions and posts a logout token for each to the clients that want one. */
  logOut(userId: string): Promise<readonly { readonly clientId: string; readonly status: number }[]>
}
