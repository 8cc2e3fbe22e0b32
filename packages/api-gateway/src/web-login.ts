import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ApiCheck } from '@scopegate/checks'

/** Somebody who signed in with a browser, as one request sees it. */
export interface WebSession {
  /** A public handle, never the value of the cookie. */
  readonly id: string
  readonly issuer: string
  /** The client that this server is at the provider. */
  readonly clientId: string
  /** Of the ID token (and userinfo), verified. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Space-separated, as granted. */
  readonly scope: string
  /** For upstreams that want it: `forward.authorization: keep`. */
  readonly accessToken?: string
  /** Epoch seconds: the earlier of the idle and the absolute end. */
  readonly expiresAt: number
}

export type WebSessionVerdict =
  | { readonly kind: 'session'; readonly session: WebSession }
  /** No cookie, or one that opens nothing: the browser may sign in. */
  | { readonly kind: 'none' }
  /** There is a session and this request may not use it (another site sent it, say). */
  | { readonly kind: 'refused'; readonly check: ApiCheck }

/** The login of the browsers of one API. Made by `createWebLogin`, asked by the pipeline. */
export interface WebLogin {
  /** Absolute paths below the API that it answers itself: `/bank/.scopegate/*`. */
  readonly routes: readonly string[]
  /** Answers a request to `routes`: callback, logout, back-channel logout, who am I. */
  handle(request: IncomingMessage, response: ServerResponse, correlationId: string): Promise<void>
  /**
   * Whose browser this is, refreshed if need be (one refresh, whoever asks). May set cookies on
   * `response`; there is none when a WebSocket is opened. Judges whether the request comes from
   * the app's own pages.
   */
  session(request: IncomingMessage, response?: ServerResponse): Promise<WebSessionVerdict>
  /** Where a browser is sent to sign in, for scripts that are refused. */
  readonly loginPath: string
  /**
   * Sends the browser to sign in; it comes back to the address of `request`. One that sent a form
   * gets a page that says so, since the form would be lost on the way.
   */
  begin(request: IncomingMessage, response: ServerResponse, correlationId: string): Promise<void>
  /** Whether the session still is: asked every few seconds while a WebSocket or a stream is open. */
  isAlive(sessionId: string): Promise<boolean>
  /** Tells at once of sessions that end in this process. @returns what stops the telling */
  onEnded(listener: (sessionId: string) => void): () => void
  close(): Promise<void>
}
