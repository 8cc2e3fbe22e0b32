import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DirectoryUser } from '@scopegate/oauth-model'
import type { Client } from '../clients/client.ts'
import type { Browser } from '../pages/browser.ts'
import type { PageFrame } from '../pages/layout.ts'
import type { InteractionDeps, InteractionEvent } from './create-interaction.ts'
import type { EngineInteraction, InteractionState } from './interaction-state.ts'
import type { SignedIn, SignInVisit } from './sign-in.ts'

/** One request to an interaction, of the browser that began it. */
export interface Visit {
  readonly deps: InteractionDeps
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly details: EngineInteraction
  readonly uid: string
  readonly base: string
  readonly client: Client
  readonly browser: Browser
  readonly csrf: string
  readonly state: InteractionState
  readonly frame: PageFrame
  readonly signedIn?: SignedIn
  readonly correlationId: string
}

export function textParam(details: EngineInteraction, name: string): string | undefined {
  const value = details.params[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function signInVisit(visit: Visit, again = false): SignInVisit {
  const { request, response, browser, frame, csrf, base, client, details } = visit
  const hint = textParam(details, 'login_hint')
  const loginHint = again ? visit.signedIn?.user.username : hint
  return {
    ...{ request, response, browser, frame, csrf, base, again },
    clientId: client.id,
    appName: client.name,
    canCancel: true,
    ...(loginHint === undefined ? {} : { loginHint }),
  }
}

export function directoryUser({ user }: SignedIn): DirectoryUser {
  return user.fhirUser === undefined
    ? { subject: user.id }
    : { subject: user.id, fhirUser: user.fhirUser }
}

/** The members that every event of a visit has. */
export function eventOf(visit: Visit): Omit<InteractionEvent, 'kind'> {
  const { correlationId, client, signedIn } = visit
  return {
    correlationId,
    clientId: client.id,
    ...(signedIn === undefined ? {} : { userId: signedIn.user.id }),
  }
}
